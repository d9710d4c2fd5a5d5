import { isPrintable } from './printable.ts';

/** The stores of objects that report files can be in: Google Cloud Storage, and Amazon S3 or what speaks its protocol. */
export type StoreScheme = 'gs' | 's3';

/** Where an object is. */
export interface StoreAddress {
  readonly scheme: StoreScheme;
  readonly bucket: string;
  /** Name inside the bucket, without a slash in front. */
  readonly key: string;
}

const ADDRESS = /^(gs|s3):\/\/([^/]*)\/(.*)$/s;

/** Bytes of a name that both stores allow. */
const MOST_KEY_BYTES = 1024;
/** A window's label takes more than `{window}`. */
const LABEL_ROOM = 100;

/** `gs://bucket/reports/churn.csv`; undefined for a path, and for an address of another form. */
export function parseStoreAddress(text: string): StoreAddress | undefined {
  const [, scheme, bucket, key] = ADDRESS.exec(text) ?? [];
  return (scheme === 'gs' || scheme === 's3') && bucket && key ? { scheme, bucket, key } : undefined;
}

/** Whether a report file's path is the address of an object, whole or not. */
export function isStoreAddress(path: string): boolean {
  return path.startsWith('gs://') || path.startsWith('s3://');
}

export function showStoreAddress({ scheme, bucket, key }: StoreAddress): string {
  return `${scheme}://${bucket}/${key}`;
}

/** The part of a name up to its last slash, with it: as a folder. */
export function folderOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** What is wrong with an address that may have `{window}` in it; undefined if nothing is. */
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
 * By the rules of https://cloud.google.com/storage/docs/buckets#naming and
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
