import { isPrintable } from './printable.ts';
import { isStoreAddress, storeAddressProblem } from './store-address.ts';

/** Names that Windows reserves for devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** The start of a URL (RFC 3986, 3.1). One slash is enough: path functions turn `gs://bucket` into `gs:/bucket`. */
const SCHEME = /^([a-z][a-z0-9+.-]+):\/+/i;

/**
 * The problem with the path of a job's report files; undefined if there is none. The window's label, which replaces `{window}`,
 * needs no check: it contains no slash or anything else that leads out of the folder.
 */
export function templateProblem(template: string): string | undefined {
  if (isStoreAddress(template)) return storeAddressProblem(template);
  const [, scheme] = SCHEME.exec(template) ?? [];
  if (scheme !== undefined) {
    const name = scheme.toLowerCase();
    if (name === 'file') return 'must be a path, not a URL: leave out file://';
    if (name === 'gs' || name === 's3') return `must begin with ${name}://, in lower case and with two slashes`;
    return `must be a local path, gs:// or s3://: score-batch cannot write reports to ${scheme}://, so copy the file there after the run`;
  }
  const parts = template.split(/[/\\]/);
  if (!template.includes('{window}')) return 'must contain {window}, or every window would overwrite the same file';
  if (!isPrintable(template)) return 'must not contain control characters';
  if (parts.includes('..')) return 'must not contain ..; write the path without it';
  if (['', '.'].includes(parts.at(-1) ?? '')) return 'must end with a file name';
  const device = parts.find((part) => DEVICE.test(part));
  return device === undefined ? undefined : `must not contain ${device}, which names a device on Windows`;
}
