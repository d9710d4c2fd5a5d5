import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isStoreAddress } from '../domain/store-address.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { keyOf, type ReportFile } from './place.ts';

/** A file or folder of the job or of a warehouse that no report may replace. */
export interface Reserved {
  /** For people: `the DuckDB file of the source`. */
  readonly what: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * Refuses a report file that would replace a reserved file, be inside a reserved folder, or replace another file of the same
 * report.
 *
 * @param kind of an error: `report` once the scores are published
 * @throws ScoreBatchError
 */
export async function refuseReserved(
  files: readonly ReportFile[],
  reserved: readonly Reserved[],
  kind: 'configuration' | 'report' = 'configuration',
): Promise<void> {
  for (const [i, file] of files.entries()) {
    const others = files.slice(0, i).map((other): Reserved => ({ what: `the file of ${keyOf(other.kind)}`, path: other.path }));
    const taken = await reservedAt(file.path, [...reserved, ...others]);
    if (taken === undefined) continue;
    const hint = `choose another path for ${keyOf(file.kind)}`;
    throw new ScoreBatchError(kind, `the report ${file.path} would overwrite ${taken.what}, ${taken.path}`, {
      hint: kind === 'report' ? `the scores are published; ${hint} and run \`score-batch report\` for the same window` : hint,
    });
  }
}

/**
 * The reserved file or folder that `file` would overwrite. Sees through other spellings, symbolic links and hard links.
 *
 * @returns undefined if there is none
 */
export async function reservedAt(file: string, reserved: readonly Reserved[]): Promise<Reserved | undefined> {
  if (reserved.length === 0) return undefined;
  // Object names have no links and only one spelling.
  if (isStoreAddress(file)) return reserved.find(({ path: other }) => other === file);
  const place = await realPlace(file);
  const identity = await identityOf(file);
  for (const other of reserved) {
    if (isStoreAddress(other.path)) continue;
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
