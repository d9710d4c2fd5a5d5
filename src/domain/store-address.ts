import { isPrintable } from './printable.ts';

/** The object stores in which report files can be: Google Cloud Storage, and Amazon S3 or a compatible service. */
export type StoreScheme = 'gs' | 's3';

/** The location of an object. */
export interface StoreAddress {
  readonly scheme: StoreScheme;
  readonly bucket: string;
  /** Name inside the bucket, without a leading slash. */
  readonly key: string;
}

const ADDRESS = /^(gs|s3):\/\/([^/]*)\/(.*)$/s;

/** Most bytes of a name that both stores allow. */
const MOST_KEY_BYTES = 1024;
/** A window's label is longer than `{window}`. */
const LABEL_ROOM = 100;

/** Parses `gs://bucket/reports/churn.csv`; undefined for a path, and for an address of another form. */
export function parseStoreAddress(text: string): StoreAddress | undefined {
  const [, scheme, bucket, key] = ADDRESS.exec(text) ?? [];
  return (scheme === 'gs' || scheme === 's3') && bucket && key ? { scheme, bucket, key } : undefined;
}

/** Whether a report file's path is meant as an object's address, valid or not. */
export function isStoreAddress(path: string): boolean {
  return path.startsWith('gs://') || path.startsWith('s3://');
}

export function showStoreAddress({ scheme, bucket, key }: StoreAddress): string {
  return `${scheme}://${bucket}/${key}`;
}

/** The part of a name up to and including its last slash, like a folder. */
export function folderOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** The problem with an address that may contain `{window}`; undefined if there is none. */
export function storeAddressProblem(text: string): string | undefined {
  const { scheme, bucket, key } = parseStoreAddress(text) ?? {};
  if (scheme === undefined || bucket === undefined || key === undefined)
    return 'must name a bucket and an object: gs://bucket/reports/churn-{window}.csv, or s3:// likewise';
  const problem = bucketProblem(scheme, bucket);
  if (problem !== undefined) return `has ${bucket}, which cannot be the name of a bucket: ${problem}`;
  if (!key.includes('{window}')) return 'must contain {window}, or every window would overwrite the same object';
  if (!isPrintable(key)) return 'must not contain control characters';
  const parts = key.split('/');
  if (parts.some((part) => part === '.' || part === '..')) return 'must not contain . or .. as a folder';
  if (parts.includes('')) return 'must not contain two slashes in a row, nor end with one';
  if (Buffer.byteLength(key) > MOST_KEY_BYTES - LABEL_ROOM)
    return `must be shorter: stores allow names of ${MOST_KEY_BYTES} bytes`;
  return undefined;
}

/**
 * Follows the rules of https://cloud.google.com/storage/docs/buckets#naming and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
function bucketProblem(scheme: StoreScheme, bucket: string): string | undefined {
  if (bucket.includes('{window}')) return '{window} belongs into the name of the object';
  const letters = scheme === 'gs' ? /^[a-z0-9._-]+$/ : /^[a-z0-9.-]+$/;
  const allowed = scheme === 'gs' ? 'a to z, 0 to 9, -, _ and .' : 'a to z, 0 to 9, - and .';
  if (!letters.test(bucket)) return `only ${allowed} are allowed`;
  if (!/^[a-z0-9]/.test(bucket) || !/[a-z0-9]$/.test(bucket)) return 'it must begin and end with a letter or a digit';
  const most = scheme === 'gs' && bucket.includes('.') ? 222 : 63;
  if (bucket.length < 3 || bucket.length > most) return `it must have 3 to ${most} characters`;
  if (bucket.split('.').some((part) => part === '' || part.length > 63))
    return 'a part between dots must have 1 to 63 characters';
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return 'it must not look like an IP address';
  return undefined;
}
