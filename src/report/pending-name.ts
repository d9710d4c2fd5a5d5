import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Publication } from '../domain/ledger.ts';
import { systemCode } from '../errors.ts';

/** A report file before it has its name. */
export interface PendingName {
  readonly path: string;
  /** Number of the publication of its window. */
  readonly publication: number;
}

/** What follows the name of the report: `.3.1997-W11-0123456789ab.host.1234-89abcdef`. Only milliseconds have a dot in a run's id. */
const SUFFIX = /^\.(\d+)\.(?:[\w+-]|\.\d{3}Z)+-[0-9a-f]{12}\..+\.\d+-[0-9a-f]{8}$/;

/** Bytes of a report's name in the name of its pending file, which has a run and a host beside it and 255 bytes in all. */
const MAX_BASE = 90;

/** What stands for a report's name in that of its pending file: the name, or its beginning and a digest where it is long. */
function pendingBase(base: string): string {
  if (Buffer.byteLength(base) <= MAX_BASE) return base;
  let short = base;
  while (Buffer.byteLength(short) > MAX_BASE - 17) short = Array.from(short).slice(0, -1).join('');
  return `${short}~${createHash('sha256').update(base).digest('hex').slice(0, 16)}`;
}

/**
 * Host and process are for people only: containers may share both, so they do not tell whether the writer lives. That is also why
 * it ends with a random number.
 */
export function pendingPath(file: string, { number, runId }: Pick<Publication, 'number' | 'runId'>): string {
  const writer = `${hostname()}.${process.pid}-${randomBytes(4).toString('hex')}`;
  return path.join(path.dirname(file), `.${pendingBase(path.basename(file))}.${number}.${runId}.${writer}`);
}

/** Pending files beside a report; none where there is no such folder. */
export function pendingBeside(file: string): Promise<PendingName[]> {
  const name = pendingBase(path.basename(file));
  return pendingIn(path.dirname(file), (text) => (text.startsWith(name) ? name.length : undefined));
}

/**
 * Pending files of a folder.
 *
 * @param reportAt how many characters of a text are the name of a report, undefined where it does not begin with one
 */
export async function pendingIn(folder: string, reportAt: (text: string) => number | undefined): Promise<PendingName[]> {
  return (await names(folder)).flatMap((name) => {
    const end = name.startsWith('.') ? reportAt(name.slice(1)) : undefined;
    const match = end === undefined ? null : SUFFIX.exec(name.slice(1 + end));
    if (match === null) return [];
    return [{ path: path.join(folder, name), publication: Number(match[1]) }];
  });
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}
