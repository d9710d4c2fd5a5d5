import type { ScoredFile, StagedAttempt } from '../domain/attempt.ts';
import type { Bands } from '../domain/bands.ts';
import type { KeyHash } from '../domain/checksum.ts';
import type { Chunking, FrozenTable } from '../domain/frozen-table.ts';
import type { HeldRows, ScoreCounts } from '../domain/held.ts';
import type { LedgerEntry, LedgerWindow } from '../domain/ledger.ts';
import type { PublishedEntry } from '../domain/publications.ts';
import type { Query } from '../domain/query.ts';
import type { AttemptTally, Pinning, RejectionTally } from '../domain/reconciliation.ts';
import type { Column, Schema } from '../domain/schema.ts';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import type { TableName } from '../domain/table-name.ts';
import type { TableLayout, Tables } from '../domain/tables.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import type { Database } from '../duckdb/database.ts';
import type { RenderedRange } from '../duckdb/render.ts';

export interface FreezeOptions extends Chunking {
  readonly runId: string;
  readonly key: readonly Column[];
  /** Every column that is needed, keys included. */
  readonly columns: readonly Column[];
  readonly hash: KeyHash;
}

/** A place where runs leave what they make on their way. */
export interface Scratch {
  /** What runs of the job have here, and on this machine; nothing where there is no such place yet. */
  listArtifacts(): Promise<readonly ScratchArtifact[]>;
  /** Nothing happens where it is gone. @param listArtifacts as `left` gave it */
  drop(listArtifacts: ScratchArtifact): Promise<void>;
}

/** Where a window's rows come from. Every method throws ScoreBatchError of the kind that fits what the warehouse said. */
export interface Source extends Scratch {
  /** What this database is, whatever words reach it: equal for all processes that read the same one, and for no others. */
  identity(): Promise<string>;
  /** Columns of the query; runs nothing. */
  describe(query: Query): Promise<Schema>;
  /** Whether a query of one row and one column returns true. */
  ready(query: Query): Promise<boolean>;
  /** One scan of the source. Where the run's frozen table is there already, that one is returned. */
  freeze(query: Query, options: FreezeOptions): Promise<FrozenTable>;
  /**
   * The run's frozen table, if it is complete and still there.
   *
   * @throws ScoreBatchError `refused` where it is not what was counted when it was frozen (see `alteredFrozen`)
   */
  frozen(runId: string): Promise<FrozenTable | undefined>;
  /** Counts the frozen table again. @throws ScoreBatchError `refused` where it is not what was counted when it was frozen */
  verify(frozen: FrozenTable, key: readonly Column[]): Promise<void>;
  /**
   * Makes the frozen chunk the relation `chunk` of a chunk worker's in-memory DuckDB, with the frozen columns and in an order
   * of rows that stays; and keys that the source knows to occur more than once (see `FrozenTable.duplicates`) the relation
   * `repeated`, under the names of staged keys.
   *
   * @throws Error where the chunk does not have the rows that were counted when it was frozen
   */
  loadChunk(frozen: FrozenTable, chunk: number, database: Database): Promise<void>;
  /** Drops the run's frozen table; nothing happens where there is none. */
  dropFrozen(runId: string): Promise<void>;
  /** Proves the rights that a run needs here with statements that leave nothing behind. @returns what was found, for people */
  probe(): Promise<string>;
}

/** A power that only some sources have: counting a query's rows costs next to nothing. */
export interface CountingSource {
  count(query: Query): Promise<number>;
}

export function canCount(source: Source): source is Source & CountingSource {
  return 'count' in source;
}

/** A power that only some sources have: telling beforehand how much a query will read, which is what it costs. */
export interface EstimatingSource {
  /** Bytes that the warehouse would bill for the query. */
  estimate(query: Query): Promise<number>;
}

export function canEstimate(source: Source): source is Source & EstimatingSource {
  return 'estimate' in source;
}

/** Bytes of the largest text of a column, in UTF-8. */
export interface LargestText {
  readonly column: string;
  readonly bytes: number;
}

/** A power of sources that can say which column of a run has the largest texts, by one query over all rows. */
export interface MeasuringSource {
  /** @param texts columns of the query that are text */
  largest(query: Query, texts: readonly Column[], runId: string): Promise<readonly LargestText[]>;
}

export function canMeasure(source: Source): source is Source & MeasuringSource {
  return 'largest' in source;
}

export interface ReconcileOptions {
  readonly runId: string;
  readonly frozen: FrozenTable;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Id of this process's own scorer; undefined where it scores nothing. */
  readonly scorer: string | undefined;
  /** Inner edges of the bundle's reference histogram of the score. */
  readonly scoreEdges: readonly number[] | undefined;
}

/** Counts made in the sink's warehouse over what is staged. */
export interface StagedTally extends Pinning {
  readonly rejections: readonly RejectionTally[];
  readonly scoreCounts: readonly number[] | undefined;
}

export interface PublicationSpec {
  /** The ledger entry that is written in the publishing transaction; its publication number is given there. */
  readonly entry: LedgerEntry;
  /** Run whose publication the plan saw; another one at the publish lock means a lost race. */
  readonly supersedes: string | undefined;
  /** Publications of overlapping windows that this one replaces; another one at the publish lock means a lost race. */
  readonly overlaps: readonly PublishedEntry[];
  /** Whether the tables may hold rows of other jobs. */
  readonly sharedTables: boolean;
  readonly pinned: readonly AttemptTally[];
  readonly tables: Tables;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  readonly bands: Bands;
  /** Names of kept columns by which the summary is broken down. */
  readonly segments: readonly string[];
  /** Whether report and summary are for this kind of window. */
  readonly reported: boolean;
  readonly scored: number;
}

/** Published scores that are to be counted. */
export interface ScoresToCount {
  readonly table: TableLayout;
  /** Name of the score column. */
  readonly column: string;
  readonly ledger: TableLayout;
  readonly job: string;
  readonly runId: string;
  readonly window: LedgerWindow;
  /** Inner edges of the bins; undefined for tenths of these very scores. */
  readonly edges: readonly number[] | undefined;
}

/** Looks at what the published tables hold, whatever the ledger says of it. A table that is not there holds nothing. */
export interface Audit {
  /** Tables that hold rows of another job, with the name of one such job where the rows say it. */
  otherJobs(tables: Tables, job: string): Promise<readonly { readonly table: TableName; readonly job: string | undefined }[]>;
  /** Rows per table and run that the tables hold of the job's windows. */
  held(tables: Tables, job: string, windows: readonly LedgerWindow[]): Promise<readonly HeldRows[]>;
  /** How a run's published scores are distributed; undefined where there are none. */
  scoreCounts(scores: ScoresToCount): Promise<ScoreCounts | undefined>;
}

/** One run's rows of one table, as text. */
export interface PublishedRows {
  readonly runId: string;
  readonly window: LedgerWindow;
  readonly job: string;
  readonly table: TableLayout;
  /** DuckDB expression over the table's columns that gives a row's line; see `csvLine`. */
  readonly line: string;
  /** Number of rows; ranks go from 1 to this. */
  readonly rows: number;
}

/** Where scores go. Every method throws ScoreBatchError of the kind that fits what the warehouse said. */
export interface Sink extends Scratch, Audit {
  /** Differences between the tables that are there and the layouts; empty where a table is missing or as it should be. */
  differences(tables: Tables): Promise<readonly string[]>;
  /**
   * Proves the right to write with harmless statements that leave nothing behind.
   *
   * @param targets names of the job's tables
   * @returns what was found, for people
   */
  probe(targets: readonly TableName[]): Promise<string>;
  /**
   * Whether decimals, times and UUIDs are staged as their canonical text: warehouses read them from Parquet files each in its
   * own way.
   */
  readonly stagesText: boolean;
  /** Local folder in which chunk workers write, from which staging is cheap. */
  workFolder(runId: string): Promise<string>;
  staged(runId: string): Promise<readonly StagedAttempt[]>;
  /** Takes one scored file; twice, or two attempts of one chunk, are harmless. */
  stage(runId: string, scored: ScoredFile): Promise<void>;
  tally(options: ReconcileOptions): Promise<StagedTally>;
  /**
   * One transaction through the publish lock.
   *
   * @returns false where this very run is published already, by another process; nothing is written then
   * @throws ScoreBatchError `conflict` where another run published meanwhile
   */
  publish(spec: PublicationSpec): Promise<boolean>;
  /** Rows in the order of their ranks, a range of ranks at a time: no sort of the whole window, however large. */
  published(spec: PublishedRows): AsyncIterable<RenderedRange>;
  /** Where staging is, for people. */
  stagingLocation(runId: string): string;
  /** A query of the warehouse that shows the run's rejected rows, for people. */
  showRejected(runId: string): string;
  /** Drops the run's staging; nothing happens where there is none. */
  discard(runId: string): Promise<void>;
}

export interface LedgerFilter {
  readonly job?: string;
  /** Ids of runs. */
  readonly runs?: readonly string[];
  readonly window?: Pick<LedgerWindow, 'start' | 'end'>;
  /** Windows that overlap this one or have its label, and the window itself. */
  readonly near?: LedgerWindow;
  /** Publications that say what this run follows; see `HistoryOf`. */
  readonly history?: HistoryOf;
}

/**
 * Published entries of the latest window of this kind that began earlier, and of runs whose model had this name and version
 * and another digest.
 */
export interface HistoryOf {
  readonly window: LedgerWindow;
  readonly model: LedgerEntry['model'];
}

/** All entries of one window of a job. */
export type WindowOfJob = Required<Pick<LedgerFilter, 'job' | 'window'>>;

/** The append-only ledger beside the scores table. */
export interface Ledger {
  /** Entries in the order in which they were written; none where there is no ledger yet. */
  entries(filter: LedgerFilter): Promise<readonly LedgerEntry[]>;
  append(entry: LedgerEntry): Promise<void>;
  /**
   * Reads the entries of a window and appends what `decide` makes of them, if anything; nobody else writes between.
   *
   * @param decide is called again with the entries of then where somebody else did write, and must bear that
   * @returns what `decide` returned as its result
   */
  decide<T>(
    window: WindowOfJob,
    decide: (entries: readonly LedgerEntry[]) => Promise<{ readonly append?: LedgerEntry; readonly result: T }>,
  ): Promise<T>;
}

export interface Warehouse {
  readonly kind: WarehouseKind;
  /** @throws ScoreBatchError where there is no such warehouse */
  reach(): Promise<void>;
  /** Files and folders of this machine that are part of it; none where it is elsewhere. */
  readonly files?: readonly string[];
  /** For a warehouse that is opened for each question: until it is disposed of, questions that only read have one opening in common. */
  readTogether?(): AsyncDisposable;
  readonly source: Source;
  readonly sink: Sink;
  ledger(layout: TableLayout): Ledger;
  /** Lets go of connections; nothing else can be done with it afterwards. */
  close(): Promise<void>;
}

export interface WarehouseOptions extends WarehouseAccess {
  /** Aborting it ends the statement that runs, in the signal's reason. Writing to the ledger still works. */
  readonly signal: AbortSignal;
  /** Where credentials and end points are looked for. */
  readonly environment: NodeJS.ProcessEnv;
  /** Tells people what they should mend one day. */
  readonly warn: (message: string) => void;
}

/** What it takes to open a warehouse, as plain data: a chunk worker's thread opens its own. */
export interface WarehouseAccess {
  readonly url: string;
  /** Name of the job: what is left in scratch carries it, and warehouses show it beside its statements. */
  readonly job: string;
  /** Project root, against which a path in a URL is resolved. */
  readonly root: string;
  /** Schema, dataset or folder suffix for frozen tables and staging. */
  readonly scratch: string;
  /** Bytes that an embedded warehouse may use in this process. */
  readonly memory: number;
  /** Bytes that it may use where rows are wide; the same by default. */
  readonly reserve?: number | undefined;
  /** Whether frozen chunks are read as unloaded Parquet files; see `source.unload`. Only Snowflake asks. */
  readonly unload?: boolean;
  /** Cost guard: bytes that a query of the source may read; undefined for no limit. */
  readonly maxBytes: number | undefined;
}
