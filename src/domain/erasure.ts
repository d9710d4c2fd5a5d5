import { currentPublication, isChallenged, isSuperseded, type LedgerEntry, type Run, runsOf } from './ledger.ts';
import { windowKey } from './publications.ts';
import { isSliceJob } from './slice.ts';
import type { TableName } from './table-name.ts';
import type { TableColumn, TableLayout } from './tables.ts';

/** The key of a person whose rows to erase. */
export interface Person {
  readonly key: readonly TableColumn[];
  /** Canonical string of each column, see `Dialect.text`. */
  readonly values: readonly string[];
}

/** A table that may hold rows of a person; its layout has at least the columns common to the job's tables of this part. */
export interface PersonTable {
  readonly part: 'scores' | 'quarantine' | 'report' | 'current' | 'boundary';
  /**
   * Job name in the ledger: tables of a challenger and of slices belong to others, see `challengerJob` and `incrementalJob`.
   */
  readonly job: string;
  /** Layout of the table that holds current publications. */
  readonly layout: TableLayout;
  /** Whether this is the table of replaced publications. */
  readonly replaced: boolean;
}

/** The publication that a row belongs to, as far as its table shows. */
export interface Place {
  /** ISO instant; empty in a table whose rows belong to no window. */
  readonly windowStart: string;
  /** Both are undefined in the slim layout, which only has the publication number. */
  readonly windowEnd: string | undefined;
  readonly runId: string | undefined;
  /** Known in the slim layout and for replaced rows. */
  readonly publication: number | undefined;
}

/** A row of a person. */
export interface PersonRow extends Place {
  readonly rank: number | undefined;
  /** Millionths; undefined in a table without scores. */
  readonly score: number | undefined;
  readonly band: string | undefined;
  /** Kept columns as canonical strings. */
  readonly kept: Readonly<Record<string, string | null>>;
}

/** A person's rows in a table. */
export interface FoundRows extends PersonTable {
  /** Full name. */
  readonly name: TableName;
  readonly rows: readonly PersonRow[];
}

/** A summary row recomputed without the person: users of a segment and band. */
export interface ChangedSegment {
  /** Layout of the summary, with its full name. */
  readonly summary: TableLayout;
  readonly replaced: boolean;
  readonly place: Place;
  readonly segment: string;
  readonly value: string | null;
  readonly band: string;
  readonly users: bigint;
  /** Sum of the scores, millionths. */
  readonly total: bigint;
  /** Users of the segment in all bands. */
  readonly everybody: bigint;
}

/**
 * Runs that may still publish, or whose challenger may. If such a run has read the person's rows, it would bring them back.
 *
 * @param entries all of one job
 */
export function openRuns(entries: readonly LedgerEntry[]): Run[] {
  const keys = new Set(entries.map(({ window }) => windowKey(window)));
  return [...keys].flatMap((key) => {
    const ofWindow = entries.filter(({ window }) => windowKey(window) === key);
    const current = currentPublication(ofWindow);
    return runsOf(ofWindow).filter(
      (run) =>
        isChallenged(run, ofWindow) || ((run.state === 'started' || run.state === 'failed') && !isSuperseded(run, current)),
    );
  });
}

/**
 * The entries that correct the row counts of runs whose rows were erased. Entries of slices are not corrected, because they
 * record what the slice did.
 *
 * @param entries all of the jobs
 * @param by the entry of the erasure
 */
export function corrections(found: readonly FoundRows[], entries: readonly LedgerEntry[], by: LedgerEntry): LedgerEntry[] {
  const runs = new Map(runsOf(entries).map((run) => [run.runId, run]));
  const lost = new Map<string, { scored: number; quarantined: number }>();
  // Rows in the table itself take precedence, then those of replaced publications.
  for (const table of [...found].sort((a, b) => Number(a.replaced) - Number(b.replaced))) {
    if (table.part === 'report' || isSliceJob(table.job)) continue;
    const count = table.part === 'scores' ? 'scored' : 'quarantined';
    const rows = new Map<string, number>();
    for (const row of table.rows) {
      const publication = `${runOf(row, table.job, entries)?.runId ?? ''} ${row.publication ?? ''}`;
      rows.set(publication, (rows.get(publication) ?? 0) + 1);
    }
    for (const [publication, number] of rows) {
      const [runId = ''] = publication.split(' ');
      const before = lost.get(runId) ?? { scored: 0, quarantined: 0 };
      lost.set(runId, { ...before, [count]: before[count] || number });
    }
  }
  return [...lost].flatMap(([runId, { scored, quarantined }]) => {
    const run = runs.get(runId);
    if (run?.rows === undefined) return [];
    const { job, window, state, fingerprint, model, rows } = run;
    const left = {
      frozen: rows.frozen - scored - quarantined,
      scored: rows.scored - scored,
      quarantined: rows.quarantined - quarantined,
    };
    const { recordedAt, host } = by;
    return [
      { ...{ recordedAt, runId, job, window, state, fingerprint, model, host }, rows: left, details: { erased: by.runId } },
    ];
  });
}

/**
 * The entry of the publication that a row belongs to. A slim table's row only has the publication number.
 *
 * @param job of the row's table
 * @param entries all of the jobs
 */
export function runOf(
  { runId, windowStart, publication }: Place,
  job: string,
  entries: readonly LedgerEntry[],
): LedgerEntry | undefined {
  const isOf = (entry: LedgerEntry) =>
    runId === undefined ? entry.publication === publication && entry.window.start === windowStart : entry.runId === runId;
  return entries.find((entry) => entry.job === job && entry.state === 'published' && isOf(entry));
}

/**
 * Runs whose files may still contain an erased person: they were not completed since.
 *
 * @param entries all of the job
 */
export function awaitingFiles(entries: readonly LedgerEntry[]): ReadonlySet<string> {
  const waiting = new Set<string>();
  for (const { runId, state, details } of entries) {
    if (details.erased !== undefined) waiting.add(runId);
    else if (state === 'completed') waiting.delete(runId);
  }
  return waiting;
}
