import { currentPublication, type LedgerEntry, type Publication } from '../domain/ledger.ts';
import { isStoreAddress } from '../domain/store-address.ts';
import { showTableName } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import { createDraft, type Draft } from './draft.ts';
import { createPending, type PendingFile } from './file.ts';
import { createListing } from './listing-file.ts';
import type { ReportFile } from './place.ts';
import { refuseReserved } from './reserved.ts';
import { refuseLargeSheet, writeRows } from './rows.ts';
import type { Pages, ReportSpec } from './spec.ts';
import { asReport, type Current, placeListing, placeObjects, type Ready } from './stored-files.ts';

type Outcome = 'in place' | 'gone' | 'index behind';

/** Attempts before giving up because something keeps removing pending files. */
const MAX_TRIES = 3;

/**
 * Writes the report files of a publication: all under pending names, then each is put in place, objects first. Puts them in
 * place only if its run is still the published one, so a slow run never replaces a newer file; see `PendingFile`. If the
 * process ends between two renames, the run stays `published`, and whatever writes its report next writes all files again.
 *
 * @param completed creates the ledger entry to append once all files are in place, if any
 * @throws ScoreBatchError `report` if a file cannot be written, `conflict` if another run published meanwhile
 */
export async function writeReport(spec: ReportSpec, completed: () => LedgerEntry | undefined): Promise<void> {
  refuseLargeSheet(spec);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    // A pending file is gone, but the run is still published: another process removed it, so write everything again.
    if ((await writeOnce(spec, completed)) === 'in place') return;
  }
  throw new ScoreBatchError(
    'report',
    `the report ${shown(spec)} cannot be written: another process keeps removing the temporary file`,
    {
      hint: 'the scores are published; find the process that removes files that begin with a dot there, then run `score-batch report`',
    },
  );
}

async function writeOnce(spec: ReportSpec, completed: () => LedgerEntry | undefined): Promise<'in place' | 'gone'> {
  const { ledger, job, window, files } = spec;
  const before = await ledger.entries({ job, window });
  const publication = published(spec, before);
  const pending = new Map<ReportFile, PendingFile>();
  const drafts = new Map<ReportFile, Draft>();
  try {
    for (const file of files.filter(({ kind }) => kind !== 'index')) {
      if (isStoreAddress(file.path)) drafts.set(file, await createDraft(file.path, job));
      else pending.set(file, await createPending(file.path, publication));
    }
    const all = new Map([...pending, ...drafts]);
    const complete = await writeRows(spec, all);
    for (const [{ kind }, one] of all) if (kind === 'page') await one.write(await pagesOf(spec).page());
    for (const one of all.values()) await one.finish();
    const ready = [...drafts].map(([file, draft]): Ready => ({ file, draft }));
    const written = { pending: [...pending.values()], ready, complete, before, publication, completed };
    if (!(await placeObjects(spec, ready, (entries) => checked(spec, written, entries)))) return 'gone';
    const outcome = await placeAll(spec, written);
    if (outcome === 'in place') for (const one of pending.values()) await one.removeOthers();
    return outcome;
  } finally {
    for (const one of [...pending.values(), ...drafts.values()]) await one.discard();
  }
}

interface Written {
  /** In renaming order. */
  readonly pending: readonly PendingFile[];
  /** Files that are objects. */
  readonly ready: readonly Ready[];
  /** Whether every rank from 1 to `rows` exists exactly once. */
  readonly complete: boolean;
  /** Ledger entries from before the files were created. */
  readonly before: readonly LedgerEntry[];
  /** The publication in `before`. */
  readonly publication: Publication;
  readonly completed: () => LedgerEntry | undefined;
}

/** Renames all local files, the index last, while no other process writes ledger entries of the window. */
async function placeAll(spec: ReportSpec, written: Written): Promise<'in place' | 'gone'> {
  const { ledger, job, window, runId } = spec;
  const listing = spec.files.find(({ kind }) => kind === 'index');
  const stored = listing !== undefined && isStoreAddress(listing.path);
  if (stored && !(await placeStoredIndex(spec, listing))) return 'gone';
  const file = stored ? undefined : listing;
  for (let tries = 1; ; tries += 1) {
    const index = file && (await createListing(file.path, { job, runId }, await pagesOf(spec).index()));
    try {
      const outcome = await ledger.decide<Outcome>({ job, window }, async (entries) => {
        if ((await checked(spec, written, entries)) === 'gone') return { result: 'gone' };
        for (const one of written.pending) {
          // Another process of this run may have put the same report in place.
          if (!(await one.replace())) return { result: done(entries, spec) > done(written.before, spec) ? 'in place' : 'gone' };
        }
        // After this many tries, accept that other processes keep putting newer ones in place.
        if (index && (await index.replace()) === 'behind' && tries < MAX_TRIES) return { result: 'index behind' };
        const append = written.completed();
        return { ...(append && { append }), result: 'in place' };
      });
      if (outcome === 'index behind') continue;
      await index?.removeOthers();
      return outcome;
    } finally {
      await index?.discard();
    }
  }
}

/** @returns false if its draft is gone */
async function placeStoredIndex(spec: ReportSpec, file: ReportFile): Promise<boolean> {
  // The index lists the pages of the bucket, so it may fail like a store.
  const content = await asReport(spec, file, () => pagesOf(spec).index());
  const draft = await createDraft(file.path, spec.job);
  try {
    await draft.write(content.html);
    await draft.finish();
    return await placeListing(spec, file, { content, draft });
  } finally {
    await draft.discard();
  }
}

/**
 * @returns `gone` if a rollback published the run again: its page says so, so the files must be generated again
 * @throws ScoreBatchError if the files must no longer be put in place
 */
async function checked(
  spec: ReportSpec,
  { before, complete, publication: seen }: Pick<Written, 'before' | 'complete' | 'publication'>,
  entries: readonly LedgerEntry[],
): Promise<Current | 'gone'> {
  const publication = published(spec, entries);
  if (publication.number !== seen.number) return 'gone';
  const erased = erasures(entries, spec);
  if (erased > erasures(before, spec)) throw erasedMeanwhile(spec);
  if (!complete) throw unranked(spec);
  // Links may have changed since the plan.
  await refuseReserved(spec.files, spec.reserved, 'report');
  return { publication, erasures: erased };
}

/** @throws ScoreBatchError `conflict` if another run is published */
function published(spec: ReportSpec, entries: readonly LedgerEntry[]): Publication {
  const current = currentPublication(entries);
  if (current?.runId !== spec.runId) throw superseded(spec);
  return current;
}

/** How many times the run was completed. */
function done(entries: readonly LedgerEntry[], { runId: id }: ReportSpec): number {
  return entries.filter(({ runId, state }) => runId === id && state === 'completed').length;
}

/** How many erasures the run's rows have seen. */
function erasures(entries: readonly LedgerEntry[], { runId: id }: ReportSpec): number {
  return entries.filter(({ runId, details }) => runId === id && details.erased !== undefined).length;
}

function erasedMeanwhile({ window, runId }: ReportSpec): ScoreBatchError {
  return new ScoreBatchError('conflict', `somebody was erased from run ${runId} while its report was being written`, {
    hint: `run \`score-batch report\` for ${window.label}`,
  });
}

function pagesOf({ pages }: ReportSpec): Pages {
  if (pages === undefined) throw new Error('nothing makes the page of this report');
  return pages;
}

function unranked({ runId, rows, scores }: ReportSpec): ScoreBatchError {
  const table = showTableName(scores.name);
  return new ScoreBatchError('refused', `the rows of ${runId} in ${table} are not ranked from 1 to ${rows}`, {
    hint: 'the table was changed after publication; run the window again to republish it',
  });
}

function superseded(spec: ReportSpec): ScoreBatchError {
  return new ScoreBatchError(
    'conflict',
    `another run published ${spec.window.label} in the meantime and will write ${shown(spec)}`,
    {
      hint: spec.files.some(({ path }) => isStoreAddress(path))
        ? `the later run writes the report; if it has ended and an object is still the old one, run \`score-batch report\` for ${spec.window.label}`
        : '`score-batch status` shows both runs; the later one writes the report',
    },
  );
}

function shown({ files }: ReportSpec): string {
  return files.map(({ path }) => path).join(', ');
}
