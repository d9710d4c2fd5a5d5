import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../errors.ts';

/** A file or a folder of the job or of a warehouse, whose place no report may take. */
export interface Reserved {
  /** For people: `the DuckDB file of the source`. */
  readonly what: string;
  /** Absolute. */
  readonly path: string;
}

/** @throws ScoreBatchError `configuration` where a report file would replace a reserved one, or stand in a reserved folder */
export async function refuseReserved(file: string, reserved: readonly Reserved[]): Promise<void> {
  const taken = await reservedAt(file, reserved);
  if (taken === undefined) return;
  throw new ScoreBatchError('configuration', `the report ${file} would take the place of ${taken.what}, ${taken.path}`, {
    hint: 'choose another path for report.csv',
  });
}

/**
 * What a file would take the place of, by whatever name it has there: another spelling, a symbolic link or a hard link.
 *
 * @returns undefined where the place is free
 */
export async function reservedAt(file: string, reserved: readonly Reserved[]): Promise<Reserved | undefined> {
  if (reserved.length === 0) return undefined;
  const place = await realPlace(file);
  const identity = await identityOf(file);
  for (const other of reserved) {
    if (isWithin(place, await realPlace(other.path))) return other;
    if (identity !== undefined && identity === (await identityOf(other.path))) return other;
  }
  return undefined;
}

/** Where a path leads, links and all, also where its end is not there yet. */
async function realPlace(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    const parent = path.dirname(file);
    if (systemCode(error) === undefined) throw error;
    return parent === file ? file : path.join(await realPlace(parent), path.basename(file));
  }
}

/** Capitals do not count: they do not for many file systems, and a file that differs by nothing else is a mistake anyway. */
function isWithin(place: string, other: string): boolean {
  const relative = path.relative(other.toLowerCase(), place.toLowerCase());
  return relative === '' || !(relative.split(path.sep)[0] === '..' || path.isAbsolute(relative));
}

/** Device and number of a file, which all its names have in common; undefined where there is none. */
async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file, { bigint: true });
    return `${dev} ${ino}`;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
