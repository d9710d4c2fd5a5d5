import type { Execution } from './execution.ts';
import type { ModelChange } from './model-change.ts';
import type { RejectionTally } from './reconciliation.ts';
import type { RunRows } from './rows.ts';
import type { Scorer } from './scorer.ts';
import type { StageSeconds } from './stages.ts';
import type { TableName } from './table-name.ts';
import type { TableColumn } from './tables.ts';
import type { TextCounts } from './text-counts.ts';
import type { Window, WindowKind } from './window.ts';
import type { WorkerTime } from './worker-time.ts';

/**
 * What happened to a run. `started`, `failed` (and a run that says nothing more) can be resumed; `published` wants only its
 * report files; `refused`, `skipped` (nothing to score) and `completed` are final, and so is `replaced`: a publication of an
 * overlapping window took the run's rows out of the tables.
 */
const RUN_STATES = ['started', 'failed', 'refused', 'skipped', 'published', 'completed', 'superseded'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The window of an entry: two instants as ISO text, and how people call it. */
export interface LedgerWindow {
  readonly label: string;
  readonly start: string;
  readonly end: string;
  readonly kind: WindowKind;
}

/** What identifies a run in every entry. */
interface RunIdentity {
  readonly runId: string;
  readonly job: string;
  readonly window: LedgerWindow;
  /** Equal for runs that would publish the same from the same rows. */
  readonly fingerprint: string;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
}

export function isRunState(text: string): text is RunState {
  return (RUN_STATES as readonly string[]).includes(text);
}

/** A run and its window, where an entry tells of another run than its own. */
export interface SupersededWindow {
  readonly run_id: string;
  readonly label: string;
  readonly start: string;
  readonly end: string;
}

/** What else an entry tells of its run; each entry adds what is new. Stored as JSON. */
export interface RunDetails {
  /** Run that was published for the window when this one started; null where there was none. */
  readonly supersedes?: string | null;
  readonly sql?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly versions?: Readonly<Record<string, string>>;
  /** Identity of the source database, see `Source.identity`. */
  readonly source?: string;
  /** Identity of the frozen table whose rows were published. */
  readonly frozen?: string;
  /** What scored every row that was published. */
  readonly scorer?: Scorer;
  /** Zone of the job file, in which the window was made. */
  readonly time_zone?: string;
  readonly chunks?: number;
  /** Chunks that were staged before this process started. */
  readonly chunks_resumed?: number;
  /** Chunks per execution provider that served. */
  readonly providers?: Readonly<Record<string, number>>;
  /** Where the process that scored ran the model; where several processes did, each says so in its own summary. */
  readonly execution?: Execution;
  /** Rows per batch that fitted the device's memory, where more did not. */
  readonly batch_rows_halved_to?: number;
  readonly rejections?: readonly RejectionTally[];
  /** How often each text feature met a value that is not among its categories. */
  readonly texts?: TextCounts;
  /** Drift of the scores from the bundle's reference; null where it was not measured. */
  readonly score_psi?: number | null;
  /** Drift of the scores from those of the window before, of the same model; null where it was not measured. */
  readonly score_psi_previous?: number | null;
  /** The model of the publication before, where this run's model is another one. */
  readonly model_changed?: ModelChange | null;
  /** Tables beside scores and quarantine that the publication wrote. */
  readonly also_wrote?: readonly ('report' | 'summary')[];
  /** Overlapping publications that this one replaced. */
  readonly supersedes_windows?: readonly SupersededWindow[];
  /** Only where `state` is `replaced`: the run whose publication did it, and its window. */
  readonly superseded_by?: SupersededWindow;
  readonly warnings?: readonly string[];
  /** Scores table by the parts of its name. */
  readonly table?: TableName;
  /** Columns of the scores table as published, for reports that are written later. */
  readonly columns?: readonly TableColumn[];
  readonly seconds?: StageSeconds;
  /** What chunk workers did with the seconds of the stage `score`. */
  readonly workers?: WorkerTime;
  /** Path of the report file that a publication is to have; relative to the project root where it is below it. */
  readonly report?: string;
  /** Paths of the files that were written, on the machine that wrote them. */
  readonly files?: readonly string[];
  readonly error?: string;
}

/** One event of a run; the ledger only grows. */
export interface LedgerEntry extends RunIdentity {
  readonly recordedAt: string;
  readonly state: RunState;
  /**
   * Counts up per job and window; the highest is what the tables hold, which is nothing where that entry is `replaced`. Only
   * where `state` is `published` or `replaced`.
   */
  readonly publication?: number;
  readonly rows?: RunRows;
  readonly host: string;
  readonly details: RunDetails;
}

/** A run as its entries tell it. */
export interface Run extends RunIdentity {
  readonly state: RunState;
  readonly startedAt: string;
  /** Host of the process that began it. */
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
}

/** Whether a text can be the id of a run. Folders carry the ids that a ledger tells, and anybody may have written to one. */
export function isRunId(text: string): boolean {
  return /^\w[\w.+-]{0,199}$/.test(text);
}

export function ledgerWindow({ label, start, end, kind }: Window): LedgerWindow {
  return { label, start: start.toISOString(), end: end.toISOString(), kind };
}

/** Runs from entries in the order in which they were written, oldest run first; later details add to earlier ones. */
export function runsOf(entries: readonly LedgerEntry[]): Run[] {
  const runs = new Map<string, Run>();
  for (const entry of entries) {
    const before = runs.get(entry.runId);
    runs.set(entry.runId, {
      ...entry,
      // A process of the same run that started later does not undo what another one achieved.
      state: before && rank(before.state) > rank(entry.state) ? before.state : entry.state,
      startedAt: before?.startedAt ?? entry.recordedAt,
      startedOn: before?.startedOn ?? entry.host,
      rows: entry.rows ?? before?.rows,
      details: { ...before?.details, ...entry.details },
    });
  }
  return [...runs.values()];
}

/** What the tables hold for the window of these entries, which must all be of one job and window. */
export function currentPublication(entries: readonly LedgerEntry[]): Publication | undefined {
  const { publication, rows, runId } = lastPublished(entries) ?? {};
  return publication === undefined || rows === undefined || runId === undefined
    ? undefined
    : { number: publication, runId, rows };
}

/** The entry that tells what the tables hold of these entries' window: published last, or replaced since. */
export function lastPublished(entries: readonly LedgerEntry[]): LedgerEntry | undefined {
  let last: LedgerEntry | undefined;
  for (const entry of entries) {
    const tells = entry.rows !== undefined || entry.state === 'superseded';
    if (tells && entry.publication !== undefined && entry.publication > (last?.publication ?? 0)) last = entry;
  }
  return last;
}

/** Whether another run has published the window since this one began: it can only lose at the publish lock. @param published that run */
export function isSuperseded({ details }: Pick<Run, 'details'>, published: string | undefined): boolean {
  return (details.supersedes ?? undefined) !== published;
}

/**
 * The run that a start with this fingerprint goes on with: the newest that is not final, started from what is published now
 * (one that started from an older publication could only lose at the publish lock).
 */
export function unfinishedRun(entries: readonly LedgerEntry[], fingerprint: string): Run | undefined {
  const current = currentPublication(entries);
  return runsOf(entries).findLast((run) => {
    if (run.fingerprint !== fingerprint) return false;
    if (run.state === 'published') return run.runId === current?.runId;
    return (run.state === 'started' || run.state === 'failed') && !isSuperseded(run, current?.runId);
  });
}

function rank(state: RunState): number {
  return state === 'failed' ? 0 : RUN_STATES.indexOf(state);
}
