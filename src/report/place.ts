import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { LedgerEntry, LedgerWindow } from '../domain/ledger.ts';
import { REPORT_KINDS, type ReportKind, type ReportTemplates } from '../domain/report-kind.ts';
import { folderOfKey, isStoreAddress, parseStoreAddress, showStoreAddress } from '../domain/store-address.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { readListingMark } from './listing-mark.ts';
import { isOwnObject } from './object-owner.ts';

/** Maximum length of a file's or folder's name on common file systems. */
const MAX_BYTES = 255;

/** A report file of a publication. */
export interface ReportFile {
  /** `index` lists all windows of the job, in `index.html` beside the page. Every other kind has a key in the job file. */
  readonly kind: ReportKind | 'index';
  /** Absolute; or the address of an object, `gs://…` or `s3://…`. */
  readonly path: string;
}

/** The key of the job file that determines where a file is. */
export function keyOf(kind: ReportFile['kind']): `report.${ReportKind}` {
  return `report.${kind === 'index' ? 'page' : kind}`;
}

/**
 * The files of a window's report: `reports/churn-{window}.csv` → its absolute path.
 *
 * @throws ScoreBatchError `configuration` if a part of a path is too long for file systems
 */
export function reportFiles(templates: ReportTemplates, window: Pick<LedgerWindow, 'label'>, root: string): ReportFile[] {
  return REPORT_KINDS.flatMap((kind): ReportFile[] => {
    const template = templates[kind];
    if (template === undefined) return [];
    const file = { kind, path: reportPath(template, window, { root, key: keyOf(kind) }) };
    return kind === 'page' ? [file, { kind: 'index', path: indexBeside(file.path) }] : [file];
  });
}

/** The path of the index page that lists the pages of a folder. */
export function indexBeside(page: string): string {
  const address = parseStoreAddress(page);
  if (address !== undefined) return showStoreAddress({ ...address, key: `${folderOfKey(address.key)}index.html` });
  return path.join(path.dirname(page), 'index.html');
}

function reportPath(
  template: string,
  { label }: Pick<LedgerWindow, 'label'>,
  { root, key }: { readonly root: string; readonly key: string },
): string {
  const named = template.replaceAll('{window}', label);
  if (isStoreAddress(named)) return named;
  const file = path.resolve(root, named);
  const long = file.split(path.sep).find((part) => Buffer.byteLength(part) > MAX_BYTES);
  if (long === undefined) return file;
  throw new ScoreBatchError('configuration', `${key} gives a name of ${Buffer.byteLength(long)} bytes: ${long}`, {
    hint: `shorten it: file systems allow ${MAX_BYTES} bytes per name`,
  });
}

/** A report's path for the ledger. Inside the project root it is relative, so that it is the same in every checkout. */
export function recordedPath(file: string, root: string): string {
  if (isStoreAddress(file)) return file;
  const relative = path.relative(root, file);
  return relative.split(path.sep)[0] === '..' || path.isAbsolute(relative) ? file : relative;
}

/** The job and ledger that decide which files are its own. */
export interface Owner {
  readonly job: string;
  /** Project root. */
  readonly root: string;
  /** Ledger entries of the window. */
  readonly entries: readonly LedgerEntry[];
  readonly stores: Pick<ObjectStore, 'look'>;
}

/**
 * Refuses to replace a file that this job did not write. A file belongs to the job if the ledger has a publication of the
 * window with this path. The ledger records the path before the file is written, so a crash in between does no harm. The index
 * belongs to the job that it names, since a run of any window may have written it. An object's metadata names its writer: see
 * `isOwnObject`.
 *
 * @throws ScoreBatchError `configuration` if the file exists and is not the job's
 */
export async function refuseForeign(file: ReportFile, { job, root, entries, stores }: Owner): Promise<void> {
  const address = parseStoreAddress(file.path);
  if (address !== undefined) {
    const there = await stores.look(address);
    if (there !== undefined && !isOwnObject(there, { job, entries })) throw foreign(file);
    return;
  }
  if (!(await exists(file.path))) return;
  const own = (recorded: string) => path.resolve(root, recorded) === file.path;
  const ours =
    file.kind === 'index'
      ? (await readListingMark(file.path))?.job === job
      : entries
          .filter(({ state }) => state === 'published' || state === 'completed')
          .some(({ details }) => [details.report ?? [], details.files ?? []].flat().some(own));
  if (!ours) throw foreign(file);
}

/** @param kind of the error: `report` once the scores are published */
export function foreign(file: ReportFile, kind: 'configuration' | 'report' = 'configuration'): ScoreBatchError {
  const hint = `move it, choose another path for ${keyOf(file.kind)}, or replace it with --force`;
  return new ScoreBatchError(kind, `${file.path} already exists, and this job did not write it`, {
    hint: kind === 'report' ? `the scores are published; ${hint} of \`score-batch report\`` : hint,
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
