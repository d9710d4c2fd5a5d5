import { isPrintable } from './printable.ts';

/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** What a URL begins with (RFC 3986, 3.1), also with one slash, as `gs:/bucket` would be read back from a folder. */
const SCHEME = /^([a-z][a-z0-9+.-]+):\/+/i;

/**
 * What is wrong with the path of a job's report files; undefined where nothing is. What takes the place of `{window}` is the
 * label of a window, which has neither slashes nor anything else that leads out of the template's folder.
 */
export function templateProblem(template: string): string | undefined {
  const [, scheme] = SCHEME.exec(template) ?? [];
  if (scheme !== undefined) {
    return scheme.toLowerCase() === 'file'
      ? 'must be a path, not a URL: leave out file://'
      : `must be a path of this machine: reports cannot be written to ${scheme}:// yet, so copy the file there after the run`;
  }
  const parts = template.split(/[/\\]/);
  if (!template.includes('{window}')) return "must contain {window}, or one window's file would replace another's";
  if (!isPrintable(template)) return 'must not contain control characters';
  if (parts.includes('..')) return 'must not contain ..; write the path of the folder itself';
  if (['', '.'].includes(parts.at(-1) ?? '')) return "must end with a file's name";
  const device = parts.find((part) => DEVICE.test(part));
  return device === undefined ? undefined : `must not contain ${device}, which names a device on Windows`;
}
