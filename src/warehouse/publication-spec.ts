import type { Bands } from '../domain/bands.ts';
import type { MeasuredDrift } from '../domain/feature-drift.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { LedgerEntry, Publication, RolledBack } from '../domain/ledger.ts';
import type { PublishedEntry } from '../domain/publications.ts';
import type { Reasons } from '../domain/reasons.ts';
import type { AttemptTally, Pinning, RejectionTally } from '../domain/reconciliation.ts';
import type { Column } from '../domain/schema.ts';
import type { TableLayout, Tables } from '../domain/tables.ts';
import type { TextRow } from './reader.ts';

export interface ReconcileOptions {
  readonly runId: string;
  readonly frozen: FrozenTable;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Id of this process's own scorer; undefined if it scores nothing. */
  readonly scorer: string | undefined;
  /** Inner edges of the bundle's reference histogram of scores. */
  readonly scoreEdges: readonly number[] | undefined;
}

/** Counts of the staged rows, made in the sink's warehouse. */
export interface StagedTally extends Pinning {
  readonly rejections: readonly RejectionTally[];
  readonly scoreCounts: readonly number[] | undefined;
}

export interface PublicationSpec {
  /** The ledger entry that the publishing transaction writes; it also assigns the publication number. */
  readonly entry: LedgerEntry;
  /**
   * The publication that the plan saw. If its number differs at the publish lock, this run lost a race; run ids would not show
   * it, since a rollback makes a run current again.
   */
  readonly supersedes: Pick<Publication, 'number' | 'runId'> | undefined;
  /**
   * Publications of overlapping windows that this one supersedes. If they differ at the publish lock, this run lost a race.
   */
  readonly overlaps: readonly PublishedEntry[];
  /** Whether the tables can hold rows of other jobs. */
  readonly sharedTables: boolean;
  readonly pinned: readonly AttemptTally[];
  readonly tables: Tables;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  readonly bands: Bands;
  /** Kept columns by which the summary is broken down. */
  readonly segments: readonly string[];
  /** Rows of the drift table; undefined if drift was not measured. */
  readonly drift?: MeasuredDrift | undefined;
  /** Whether this kind of window has a report, a summary and a drift table. */
  readonly reported: boolean;
  readonly scored: number;
  /** For the columns `reason_1`, …; undefined if the job has none. */
  readonly reasons?: Reasons | undefined;
  /** Share of users for the column `holdout`; undefined if the job has none. */
  readonly holdout?: number | undefined;
  /** How many replaced publications of the window to keep. */
  readonly history: number;
  /** The kept publication of the entry's run to restore, instead of publishing staged rows. */
  readonly restored?: number | undefined;
  /** If the run is a slice: `tables.scores` is the current table. */
  readonly current?: CurrentChange | undefined;
  /** Publications whose content must not be published again: they were rolled back. */
  readonly rolledBack?: readonly RolledBack[] | undefined;
}

/** How a slice changes the current table, besides inserting the staged rows. */
export interface CurrentChange {
  /** Whether the staged rows are all users: other users in the table are then deleted. */
  readonly whole: boolean;
  /** Canonical strings of changed keys that the query no longer returns. Empty if `whole`. */
  readonly gone: readonly TextRow[];
  /** ISO string with microseconds; see `SliceDetails`. */
  readonly asOf: string;
  /** Where to copy the rows that are not deleted, after the change. */
  readonly boundary?: { readonly table: TableLayout; readonly end: string } | undefined;
}

export interface TopRowsOptions extends Pick<ReconcileOptions, 'runId' | 'key'> {
  readonly pinned: readonly AttemptTally[];
  /** Number of rows. */
  readonly rows: number;
}

/** Staged rows to read together with the published tables. */
export interface StagedToRead extends Pick<ReconcileOptions, 'runId' | 'key'> {
  readonly pinned: readonly AttemptTally[];
  /** Whether the run is a slice: then rejected rows are also read, and the columns `reason`, `skip_key` and `scored_at`. */
  readonly slice?: boolean;
}

/** An addition to a publication, such as its evaluation. */
export interface Amendment {
  /** The ledger entry to append. Its run must be the one published for its window. */
  readonly entry: LedgerEntry;
  readonly ledger: TableLayout;
  /** Table whose rows of the window are replaced; it has the columns job, window_start and window_end. */
  readonly table: TableLayout;
  /** At most a few thousand rows, each with one string per column of the table. */
  readonly rows: readonly TextRow[];
}

/** Rows of replaced publications that are too old to keep. */
export interface AgedRows {
  /** Existing tables with the suffix `_replaced`. */
  readonly tables: readonly TableLayout[];
  readonly ledger: TableLayout;
  readonly job: string;
  /** ISO string: rows replaced before this instant are deleted. */
  readonly before: string;
}
