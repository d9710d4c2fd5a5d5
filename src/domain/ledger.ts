import type { RunRows } from './rows.ts';
import type { RunDetails } from './run-details.ts';
import type { Window, WindowKind } from './window.ts';

/**
 * `started` and `failed` runs can be resumed; a killed process leaves its run `started`. A `published` run lacks only its
 * report files. `refused`, `skipped` (nothing to score) and `completed` are final. So is `superseded`: the publication of an
 * overlapping window took the run's rows out of the tables. A promotion of a challenger is `promoting`, then `promoted`, or
 * `refused` if the job was changed in another way meanwhile; it has no rows. An `erased` entry records that a person's rows
 * were removed. A job's slices have two more: `compared` records how the current table and a window of the batch agree, and
 * `switched` which of the two people read. A message about a publication has its own entries: `delivering` before it leaves and
 * while its outcome is unknown, then `undelivered` or `delivered`.
 */
export const RUN_STATES = [
  'started',
  'failed',
  'promoting',
  'refused',
  'skipped',
  'published',
  'completed',
  'superseded',
  'promoted',
  'erased',
  'compared',
  'switched',
  'delivering',
  'undelivered',
  'delivered',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The window of an entry: two ISO instants, and a label for people. */
export interface LedgerWindow {
  readonly label: string;
  readonly start: string;
  readonly end: string;
  readonly kind: WindowKind;
}

/** Identifies a run in every entry. */
interface RunIdentity {
  readonly runId: string;
  readonly job: string;
  readonly window: LedgerWindow;
  /** Equal for runs that would publish the same scores from the same rows. */
  readonly fingerprint: string;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
}

export function isRunState(text: string): text is RunState {
  return (RUN_STATES as readonly string[]).includes(text);
}

/** One event of a run. The ledger is append-only. */
export interface LedgerEntry extends RunIdentity {
  readonly recordedAt: string;
  readonly state: RunState;
  /**
   * Counts up per job and window. The tables hold the publication with the highest number, or nothing if that entry is
   * `superseded`. Present only if `state` is `published` or `superseded`.
   */
  readonly publication?: number;
  readonly rows?: RunRows;
  readonly host: string;
  readonly details: RunDetails;
}

/** A run, folded from its entries. */
export interface Run extends RunIdentity {
  readonly state: RunState;
  readonly startedAt: string;
  /** Host of the process that started it. */
  readonly startedOn: string;
  readonly recordedAt: string;
  readonly host: string;
  readonly rows: RunRows | undefined;
  readonly details: RunDetails;
}

export interface Publication {
  readonly number: number;
  readonly runId: string;
  readonly rows: RunRows;
  /** Publications of the window that were rolled back, unless somebody has since published one again with force. */
  readonly rolledBack?: readonly RolledBack[];
}

/** A publication that was rolled back. */
export interface RolledBack {
  readonly publication: number;
  /** See `publishedContent` of the warehouses' SQL. */
  readonly content: string;
}

/**
 * Whether a string can be a run id. Ids from the ledger become folder names, and other tools may have written to the ledger.
 */
export function isRunId(text: string): boolean {
  return /^\w[\w.+-]{0,199}$/.test(text);
}

export function ledgerWindow({ label, start, end, kind }: Window): LedgerWindow {
  return { label, start: start.toISOString(), end: end.toISOString(), kind };
}

/** Folds entries, in the order in which they were written, into runs, oldest first. Later details add to earlier ones. */
export function runsOf(entries: readonly LedgerEntry[]): Run[] {
  const runs = new Map<string, Run>();
  const published = new Map<string, number>();
  for (const entry of entries) {
    const { publication = 0 } = entry;
    const before = runs.get(entry.runId);
    // A later entry of a second process of the run must not return the run to an earlier state. A rollback may.
    const again = publication > (published.get(entry.runId) ?? 0);
    if (again) published.set(entry.runId, publication);
    runs.set(entry.runId, {
      ...entry,
      state: before && !again && rank(before.state) > rank(entry.state) ? before.state : entry.state,
      startedAt: before?.startedAt ?? entry.recordedAt,
      startedOn: before?.startedOn ?? entry.host,
      rows: isOutdated(entry, before) ? before?.rows : (entry.rows ?? before?.rows),
      details: { ...before?.details, ...entry.details },
    });
  }
  return [...runs.values()];
}

/** Whether an entry was written by a process that has not seen an erasure of the run's rows. */
function isOutdated({ publication, details }: LedgerEntry, before: Pick<Run, 'details'> | undefined): boolean {
  return before?.details.erased !== undefined && details.erased === undefined && publication === undefined;
}

/** The publication that the tables hold. @param entries all of one job and window */
export function currentPublication(entries: readonly LedgerEntry[]): Publication | undefined {
  const { publication, rows, runId } = lastPublished(entries) ?? {};
  if (publication === undefined || rows === undefined || runId === undefined) return undefined;
  const rolledBack = rolledBackOf(entries);
  return { number: publication, runId, rows, ...(rolledBack.length > 0 && { rolledBack }) };
}

function rolledBackOf(entries: readonly LedgerEntry[]): RolledBack[] {
  let found: RolledBack[] = [];
  for (const { state, details } of entries) {
    if (state !== 'published') continue;
    if (details.forced === true) found = [];
    const { from, content } = details.rollback ?? {};
    if (from !== undefined && content !== undefined) found.push({ publication: from.publication, content });
  }
  return found;
}

/**
 * The entry that determines what the tables hold: the last publication, or the one that superseded it. Its counts are those
 * after erasures.
 *
 * @param entries all of one job and window
 */
export function lastPublished(entries: readonly LedgerEntry[]): LedgerEntry | undefined {
  let last: LedgerEntry | undefined;
  for (const entry of entries) {
    const changedTables = entry.rows !== undefined || entry.state === 'superseded';
    if (changedTables && entry.publication !== undefined && entry.publication > (last?.publication ?? 0)) last = entry;
    else if (last?.rows && entry.runId === last.runId && entry.details.erased !== undefined && entry.rows)
      last = { ...last, rows: entry.rows };
  }
  return last;
}

/**
 * Whether another run has published the window since this one started. Then this run can no longer publish.
 *
 * @param published what is published now
 */
export function isSuperseded(
  { details }: Pick<Run, 'details'>,
  published: Pick<Publication, 'number' | 'runId'> | undefined,
): boolean {
  const { supersedes_publication: number } = details;
  // Entries of earlier versions have no number.
  if (number === undefined) return (details.supersedes ?? undefined) !== published?.runId;
  return (number ?? undefined) !== published?.number;
}

/** Whether the run is published, but its challenger may still score its rows. @param entries of its window */
export function isChallenged({ runId, state, details }: Run, entries: readonly LedgerEntry[]): boolean {
  return state === 'published' && details.challenger !== undefined && currentPublication(entries)?.runId === runId;
}

/**
 * The run to resume: the newest with this fingerprint that is not final and started from the current publication. A run that
 * started from an older publication could no longer publish.
 */
export function unfinishedRun(entries: readonly LedgerEntry[], fingerprint: string): Run | undefined {
  return unfinishedRuns(entries).find((run) => run.fingerprint === fingerprint);
}

/** Runs that are not final and started from the current publication, or are it; the newest first. @param entries of a window */
export function unfinishedRuns(entries: readonly LedgerEntry[]): Run[] {
  const current = currentPublication(entries);
  const unfinished = runsOf(entries).filter((run) => {
    if (run.state === 'published') return run.runId === current?.runId;
    return (run.state === 'started' || run.state === 'failed') && !isSuperseded(run, current);
  });
  return unfinished.reverse();
}

function rank(state: RunState): number {
  return state === 'failed' ? 0 : RUN_STATES.indexOf(state);
}
