import { existsSync } from 'node:fs';
import { currentPublication, type LedgerEntry, type Publication } from '../domain/ledger.ts';
import { folderOfKey, parseStoreAddress, type StoreAddress, showStoreAddress } from '../domain/store-address.ts';
import { ScoreBatchError } from '../errors.ts';
import { type FileMark, isSameMark, type ObjectMark } from '../store/mark.ts';
import type { StoredObject } from '../store/object-store.ts';
import { backoff, sleep, timeoutsOf } from '../warehouse/timeouts.ts';
import { assertDraftsWritable, type Draft } from './draft.ts';
import type { ListingContent } from './listing-file.ts';
import { isOwnObject } from './object-owner.ts';
import { foreign, type ReportFile } from './place.ts';
import type { ReportSpec } from './spec.ts';

// Report files in object stores. No lock is held during an upload, which may take minutes. Instead, a writer looks up the
// object's version, **then** reads in the ledger that its run is still published, and then replaces only that version. Suppose
// that the writer of an older publication puts its file last. It read the ledger before the newer publication was entered, and
// looked up the version even earlier; the newer writer looked later. Whichever of the two puts first changes the version that
// the other has seen, so the other's put is refused. It then looks again and reads the ledger again, and the older writer finds
// that its publication is superseded.
//
// If an answer is lost, a writer does not know whether its file is in place. The object's metadata tells.
//
// A version in S3 is a hash of the content, so it can come back: after a rollback, the object may again have the bytes that a
// paused writer has seen, and its put is not refused. So it reads the ledger once more after its put.

/** Attempts while others change the object. */
const MAX_TRIES = 5;

/** Pauses between attempts, scaled from a timeout of 15 s. A request itself may take longer. */
const PAUSES = timeoutsOf(15_000);

/** A file that is ready to be uploaded. */
export interface Ready {
  readonly file: ReportFile;
  readonly draft: Draft;
}

const TYPES: Readonly<Record<ReportFile['kind'], string>> = {
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  page: 'text/html; charset=utf-8',
  index: 'text/html; charset=utf-8',
};

/** What should be written for the window, by the present ledger. */
export interface Current {
  readonly publication: Publication;
  /** How many erasures the run's rows have seen. */
  readonly erasures: number;
}

/**
 * Puts all files in place, one after another.
 *
 * @param current what the present ledger calls for; `gone` if the files must be generated again. @throws ScoreBatchError if
 * they must no longer be written
 * @returns false if the files must be generated again, or a clean-up has removed a draft
 * @throws ScoreBatchError `report` if a store refuses, an object belongs to another writer, or a superseded publication has
 * replaced a newer one
 */
export async function placeObjects(
  spec: ReportSpec,
  ready: readonly Ready[],
  current: (entries: readonly LedgerEntry[]) => Promise<Current | 'gone'>,
): Promise<boolean> {
  const { ledger, job, window, runId } = spec;
  for (const { file, draft } of ready) {
    const address = addressOf(file);
    for (let tries = 1; ; tries += 1) {
      spec.signal.throwIfAborted();
      const there = await asReport(spec, file, (stores) => stores.look(address));
      const entries = await ledger.entries({ job, window });
      const now = await current(entries);
      if (now === 'gone') return false;
      refuseForeignObject(spec, file, there, entries);
      const mark: FileMark = { job, runId, publication: now.publication.number, erasures: now.erasures };
      const outcome = await put(spec, file, { path: draft.path, mark, there });
      if (outcome === 'gone') return false;
      if (outcome === 'in place') {
        if (address.scheme === 's3' && !(await stillCurrent(spec, file, { mark, current }))) return false;
        break;
      }
      await pauseAfter(tries, spec, file);
    }
  }
  return true;
}

/**
 * Puts the index page in place, unless the present one was generated from more ledger entries. Entry numbers order all writers,
 * so the ledger need not be read again.
 *
 * @returns false if the draft is gone
 */
export async function placeListing(
  spec: ReportSpec,
  file: ReportFile,
  { content, draft }: { readonly content: ListingContent; readonly draft: Draft },
): Promise<boolean> {
  const address = addressOf(file);
  const mark: ObjectMark = { job: spec.job, entry: content.entry };
  for (let tries = 1; ; tries += 1) {
    const there = await asReport(spec, file, (stores) => stores.look(address));
    refuseForeignObject(spec, file, there, []);
    const other = there?.mark;
    if (other?.job === spec.job && 'entry' in other && other.entry > content.entry) return true;
    const outcome = await put(spec, file, { path: draft.path, mark, there });
    if (outcome !== 'changed') return outcome === 'in place';
    await pauseAfter(tries, spec, file);
  }
}

/**
 * Checks the right to write the files that are objects, once per bucket and folder; to list pages, since an index links to the
 * existing ones; and to write drafts on this machine. Leaves no object and no file.
 *
 * @throws ScoreBatchError `permission`, `configuration` or `unavailable`
 */
export async function assertObjectsWritable(
  files: readonly ReportFile[],
  stores: Pick<ReportSpec['stores'], 'mayWrite' | 'list'>,
): Promise<void> {
  const seen = new Set<string>();
  for (const { kind, path } of files) {
    const address = parseStoreAddress(path);
    const folder = address && showStoreAddress({ ...address, key: folderOfKey(address.key) });
    if (address === undefined || folder === undefined) continue;
    if (seen.size === 0) await assertDraftsWritable(path);
    if (!seen.has(folder)) await stores.mayWrite(address);
    seen.add(folder);
    // List by the page's own name: it proves the right to list as well as a whole folder does, and returns few objects.
    if (kind === 'page') await stores.list(address);
  }
}

/**
 * Whether what was put in place still matches the ledger.
 *
 * @returns false if the files must be generated again
 * @throws what `current` throws if a newer writer has replaced the object, otherwise ScoreBatchError `report`
 */
async function stillCurrent(
  spec: ReportSpec,
  file: ReportFile,
  { mark, current }: { readonly mark: FileMark; readonly current: Parameters<typeof placeObjects>[2] },
): Promise<boolean> {
  const { ledger, job, window } = spec;
  const entries = await ledger.entries({ job, window });
  try {
    return (await current(entries)) !== 'gone';
  } catch (error) {
    const number = currentPublication(entries)?.number;
    if (number === mark.publication) throw error;
    const there = await asReport(spec, file, (stores) => stores.look(addressOf(file)));
    throw isSameMark(there?.mark, mark) ? stale(spec, file, { mark, number, cause: error }) : error;
  }
}

/**
 * Pauses, because the writer that caused the refusal may still be active. @throws ScoreBatchError `report` after the last try
 */
async function pauseAfter(tries: number, { signal }: ReportSpec, file: ReportFile): Promise<void> {
  if (tries === MAX_TRIES) throw busy(file);
  await sleep(backoff(PAUSES, tries), signal);
}

/** @returns `in place` if the file was put there now or by a request whose answer was lost, `gone` if the draft has vanished */
async function put(
  spec: ReportSpec,
  file: ReportFile,
  { path, mark, there }: { readonly path: string; readonly mark: ObjectMark; readonly there: StoredObject | undefined },
): Promise<'in place' | 'changed' | 'gone'> {
  const address = addressOf(file);
  const upload = { file: path, type: TYPES[file.kind], mark, version: there?.version };
  let lost: unknown;
  try {
    if ((await asReport(spec, file, (stores) => stores.put(address, upload))) === 'in place') return 'in place';
  } catch (error) {
    // Check now, since it can vanish at any time; a client's error may not say so.
    if (!existsSync(path)) return 'gone';
    if (!isUnavailable(error)) throw error;
    lost = error;
  }
  const now = await asReport(spec, file, (stores) => stores.look(address));
  // In S3, the same content has the same version, no matter who put it there.
  const other = now?.version !== there?.version || !isSameMark(there?.mark, mark);
  if (other && isSameMark(now?.mark, mark)) return 'in place';
  if (lost !== undefined) throw lost;
  return 'changed';
}

function refuseForeignObject(
  { job, force }: ReportSpec,
  file: ReportFile,
  there: StoredObject | undefined,
  entries: readonly LedgerEntry[],
): void {
  if (there !== undefined && !force && !isOwnObject(there, { job, entries })) throw foreign(file, 'report');
}

function addressOf({ path }: ReportFile): StoreAddress {
  const address = parseStoreAddress(path);
  if (address === undefined) throw new Error(`${path} is not the address of an object`);
  return address;
}

/** The store may have carried out the request although its answer was lost. */
function isUnavailable(error: unknown): boolean {
  const cause = error instanceof ScoreBatchError ? error.cause : undefined;
  return cause instanceof ScoreBatchError && cause.kind === 'unavailable';
}

/** Turns an error of the store into `report`, because the scores are already published. */
export async function asReport<T>(
  { stores }: ReportSpec,
  { path }: ReportFile,
  work: (stores: ReportSpec['stores']) => Promise<T>,
): Promise<T> {
  try {
    return await work(stores);
  } catch (cause) {
    if (!(cause instanceof ScoreBatchError)) throw cause;
    throw new ScoreBatchError('report', `the report ${path} cannot be written: ${cause.message}`, {
      hint: `the scores are published; ${cause.hint === undefined ? 'fix the cause' : cause.hint}, then run \`score-batch report\` for the same window`,
      cause,
    });
  }
}

/** The writer of the newer publication may be about to replace the object, or may already have done so. */
function stale(
  { window }: ReportSpec,
  { path }: ReportFile,
  { mark, number, cause }: { readonly mark: FileMark; readonly number: number | undefined; readonly cause: unknown },
): ScoreBatchError {
  const now = number === undefined ? 'nothing is published now' : `publication ${number} is the current one`;
  return new ScoreBatchError('report', `the object ${path} holds superseded publication ${mark.publication}; ${now}`, {
    hint: `run \`score-batch report\` for ${window.label} once no other run is writing it`,
    cause,
  });
}

function busy({ path }: ReportFile): ScoreBatchError {
  return new ScoreBatchError('report', `the report ${path} cannot be written: another process keeps changing the object`, {
    hint: 'the scores are published; find the process that writes to the bucket, then run `score-batch report` for the same window',
  });
}
