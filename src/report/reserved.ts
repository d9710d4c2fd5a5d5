import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../errors.ts';

/** A file or folder of the job or of a warehouse that no report may replace. */
export interface Reserved {
  /** For people: `the DuckDB file of the source`. */
  readonly what: string;
  /** Absolute. */
  readonly path: string;
}

/** @throws ScoreBatchError `configuration` if the report would replace a reserved file or be inside a reserved folder */
export async function refuseReserved(file: string, reserved: readonly Reserved[]): Promise<void> {
  const taken = await reservedAt(file, reserved);
  if (taken === undefined) return;
  throw new ScoreBatchError('configuration', `the report ${file} would overwrite ${taken.what}, ${taken.path}`, {
    hint: 'choose another path for report.csv',
  });
}

/**
 * The reserved file or folder that `file` would overwrite. Sees through other spellings, symbolic links and hard links.
 *
 * @returns undefined if there is none
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

/** The path with its links resolved, even if its last parts do not exist yet. */
async function realPlace(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    const parent = path.dirname(file);
    if (systemCode(error) === undefined) throw error;
    return parent === file ? file : path.join(await realPlace(parent), path.basename(file));
  }
}

/** Ignores case: many file systems do, and a path that differs only in case is probably a mistake. */
function isWithin(place: string, other: string): boolean {
  const relative = path.relative(other.toLowerCase(), place.toLowerCase());
  return relative === '' || !(relative.split(path.sep)[0] === '..' || path.isAbsolute(relative));
}

/** Device and inode of a file, the same for all its hard links; undefined if it does not exist. */
async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file, { bigint: true });
    return `${dev} ${ino}`;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
