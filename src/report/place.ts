import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { LedgerEntry, LedgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';

/** Maximum length of a file's or folder's name on common file systems. */
const MAX_BYTES = 255;

/**
 * `reports/churn-{window}.csv` → the absolute path of the window's file.
 *
 * @throws ScoreBatchError `configuration` if a part of the path is too long for file systems
 */
export function reportFile(template: string, { label }: Pick<LedgerWindow, 'label'>, root: string): string {
  const file = path.resolve(root, template.replaceAll('{window}', label));
  const long = file.split(path.sep).find((part) => Buffer.byteLength(part) > MAX_BYTES);
  if (long === undefined) return file;
  throw new ScoreBatchError('configuration', `report.csv gives a name of ${Buffer.byteLength(long)} bytes: ${long}`, {
    hint: `shorten it: file systems allow ${MAX_BYTES} bytes per name`,
  });
}

/** A report's path for the ledger. Inside the project root it is relative, so that it is the same in every checkout. */
export function recordedPath(file: string, root: string): string {
  const relative = path.relative(root, file);
  return relative.split(path.sep)[0] === '..' || path.isAbsolute(relative) ? file : relative;
}

/**
 * Refuses to replace a file that this job did not write. A file belongs to the job if the ledger has a publication of the
 * window with this path. The ledger records the path before the file is written, so a crash in between does no harm.
 *
 * @param entries of the window
 * @throws ScoreBatchError `configuration` if the file exists and is not the job's
 */
export async function refuseForeign(file: string, root: string, entries: readonly LedgerEntry[]): Promise<void> {
  const own = (recorded: string) => path.resolve(root, recorded) === file;
  const ours = entries
    .filter(({ state }) => state === 'published' || state === 'completed')
    .some(({ details }) => [details.report ?? [], details.files ?? []].flat().some(own));
  if (ours || !(await exists(file))) return;
  throw new ScoreBatchError('configuration', `${file} already exists, and this job did not write it`, {
    hint: 'move it, choose another path for report.csv, or replace it with --force',
  });
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    // If its folder is a file or cannot be read, writing the report fails with a message of its own.
    if (systemCode(error) !== undefined) return false;
    throw error;
  }
}
