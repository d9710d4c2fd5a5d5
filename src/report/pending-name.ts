import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Publication } from '../domain/ledger.ts';
import { systemCode } from '../errors.ts';

/** A report file that does not have its final name yet. */
export interface PendingName {
  readonly path: string;
  /** Publication number of its window. */
  readonly publication: number;
}

/**
 * Follows the report's name: `.3.1997-W11-0123456789ab.host.1234-89abcdef`. A dot in a run's id can only precede
 * milliseconds.
 */
const SUFFIX = /^\.(\d+)\.(?:[\w+-]|\.\d{3}Z)+-[0-9a-f]{12}\..+\.\d+-[0-9a-f]{8}$/;

/**
 * Maximum bytes of the report's name in a pending name, which also has a run and a host. File systems allow 255 in total.
 */
const MAX_BASE = 90;

/** The report's name as used in pending names: shortened, with a digest, if it is long. */
function pendingBase(base: string): string {
  if (Buffer.byteLength(base) <= MAX_BASE) return base;
  let short = base;
  while (Buffer.byteLength(short) > MAX_BASE - 17) short = Array.from(short).slice(0, -1).join('');
  return `${short}~${createHash('sha256').update(base).digest('hex').slice(0, 16)}`;
}

/**
 * A new pending name. Host and process id are only for people: containers may share both, so they cannot show whether the
 * writer is alive, and the name also needs a random part.
 */
export function pendingPath(file: string, { number, runId }: Pick<Publication, 'number' | 'runId'>): string {
  const writer = `${hostname()}.${process.pid}-${randomBytes(4).toString('hex')}`;
  return path.join(path.dirname(file), `.${pendingBase(path.basename(file))}.${number}.${runId}.${writer}`);
}

/** The pending files of a report; none if its folder does not exist. */
export function listPending(file: string): Promise<PendingName[]> {
  const name = pendingBase(path.basename(file));
  return pendingIn(path.dirname(file), (text) => (text.startsWith(name) ? name.length : undefined));
}

/**
 * The pending files of a folder.
 *
 * @param reportAt length of the report's name at the start of a string; undefined if it does not start with one
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
