import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { LedgerEntry, LedgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';

/** Of a file or a folder, on every file system that people have. */
const MAX_BYTES = 255;

/**
 * `reports/churn-{window}.csv` → the file of that window, absolute.
 *
 * @throws ScoreBatchError `configuration` where a name in it is too long for any file system
 */
export function reportFile(template: string, { label }: Pick<LedgerWindow, 'label'>, root: string): string {
  const file = path.resolve(root, template.replaceAll('{window}', label));
  const long = file.split(path.sep).find((part) => Buffer.byteLength(part) > MAX_BYTES);
  if (long === undefined) return file;
  throw new ScoreBatchError('configuration', `report.csv gives a name of ${Buffer.byteLength(long)} bytes: ${long}`, {
    hint: `shorten it: file systems take names of ${MAX_BYTES} bytes at most`,
  });
}

/** A report's path as the ledger keeps it: below the project root it is relative, so that every checkout has the same. */
export function recordedPath(file: string, root: string): string {
  const relative = path.relative(root, file);
  return relative.split(path.sep)[0] === '..' || path.isAbsolute(relative) ? file : relative;
}

/**
 * A file counts as the job's where a publication of the window was to write it, as its ledger tells: that is known before the
 * file is there, so that a crash in between does no harm.
 *
 * @param entries of the window
 * @throws ScoreBatchError `configuration` where there is a file that this job did not write
 */
export async function refuseForeign(file: string, root: string, entries: readonly LedgerEntry[]): Promise<void> {
  const own = (recorded: string) => path.resolve(root, recorded) === file;
  const ours = entries
    .filter(({ state }) => state === 'published' || state === 'completed')
    .some(({ details }) => [details.report ?? [], details.files ?? []].flat().some(own));
  if (ours || !(await exists(file))) return;
  throw new ScoreBatchError('configuration', `${file} is there, and this job did not write it`, {
    hint: 'move it away, choose another path for report.csv, or replace it with --force',
  });
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    // Where its folder is a file, or cannot be looked into, the report says so itself.
    if (systemCode(error) !== undefined) return false;
    throw error;
  }
}
