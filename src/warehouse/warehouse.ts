import type { ScoredFile, StagedAttempt } from '../domain/attempt.ts';
import type { KeyHash } from '../domain/checksum.ts';
import type { Person } from '../domain/erasure.ts';
import type { Chunking, FrozenTable } from '../domain/frozen-table.ts';
import type { HeldRows, ScoreCounts } from '../domain/held.ts';
import type { KeptRows } from '../domain/kept-rows.ts';
import type { LedgerEntry, LedgerWindow } from '../domain/ledger.ts';
import type { Query } from '../domain/query.ts';
import type { TopRow } from '../domain/reasons.ts';
import type { Column, Schema } from '../domain/schema.ts';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import type { TableName } from '../domain/table-name.ts';
import type { TableLayout, Tables } from '../domain/tables.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import type { Database } from '../duckdb/database.ts';
import type { RenderedRange, Rendering } from '../duckdb/render.ts';
import type { Dialect } from './dialect.ts';
import type { ErasureSpec } from './erasure.ts';
import type { LedgerFilter, WindowOfJob } from './ledger-filter.ts';
import type {
  AgedRows,
  Amendment,
  PublicationSpec,
  ReconcileOptions,
  StagedTally,
  StagedToRead,
  TopRowsOptions,
} from './publication-spec.ts';
import type { SelectText, TableReader, TextRow } from './reader.ts';
import type { BoundaryRows, ViewSpec } from './view-spec.ts';

export interface FreezeOptions extends Chunking {
  readonly runId: string;
  readonly key: readonly Column[];
  /** All columns the run needs, keys included. */
  readonly columns: readonly Column[];
  readonly hash: KeyHash;
  /** Set if the rows outlive their run. */
  readonly kept?: KeptRows | undefined;
}

/** Where runs keep intermediate results. */
export interface Scratch {
  /** Artifacts of the job's runs here and on this machine; empty if scratch does not exist yet. */
  listArtifacts(): Promise<readonly ScratchArtifact[]>;
  /** Does nothing if the artifact no longer exists. @param artifact as returned by `listArtifacts` */
  drop(artifact: ScratchArtifact): Promise<void>;
}

/** Where a window's rows come from. Every method throws a ScoreBatchError whose kind matches the warehouse's error. */
export interface Source extends Scratch {
  /** The SQL of its statements. */
  readonly dialect: Dialect;
  /** Identifies the database, however it is addressed: equal for two processes if and only if they read the same one. */
  identity(): Promise<string>;
  /** Columns of the query; does not run it. */
  describe(query: Query): Promise<Schema>;
  /** Whether a query of one row and one column returns true. */
  ready(query: Query): Promise<boolean>;
  /** Runs a SELECT over the query's present rows. */
  select(query: Query, statement: SelectText): Promise<readonly TextRow[]>;
  /** Runs a SELECT over the rows of a frozen table. */
  selectFrozen(frozen: FrozenTable, statement: SelectText): Promise<readonly TextRow[]>;
  /**
   * The statement for people to run in the warehouse: over the frozen rows, or if the window was tapped, over the query with
   * its values.
   */
  showFrozen(frozen: FrozenTable, query: Query, statement: SelectText): Promise<string>;
  /** Scans the source once. Returns the run's frozen table if it already exists. */
  freeze(query: Query, options: FreezeOptions): Promise<FrozenTable>;
  /**
   * The run's frozen table, if it exists and is complete.
   *
   * @throws ScoreBatchError `refused` if it changed since it was frozen (see `alteredFrozen`)
   */
  frozen(runId: string): Promise<FrozenTable | undefined>;
  /** Counts the frozen table again. @throws ScoreBatchError `refused` if it changed since it was frozen */
  verify(frozen: FrozenTable, key: readonly Column[]): Promise<void>;
  /**
   * Makes the frozen chunk available as the relation `chunk` in a chunk worker's in-memory DuckDB, with the frozen columns
   * and a stable row order. Keys that the source knows to be duplicates (see `FrozenTable.duplicates`) become the relation
   * `repeated`, under the names of staged keys.
   *
   * @throws Error if the row count differs from the one taken when the chunk was frozen
   */
  loadChunk(frozen: FrozenTable, chunk: number, database: Database): Promise<void>;
  /**
   * Removes a person's rows from a frozen table, which gets another identity. Idempotent and atomic.
   *
   * @returns number of removed rows
   * @throws ScoreBatchError `refused` if the table changed since it was frozen
   */
  eraseFrozen(frozen: FrozenTable, person: Pick<Person, 'values'>): Promise<number>;
  /** Drops the run's frozen table, if it exists. */
  dropFrozen(runId: string): Promise<void>;
  /**
   * Proves the permissions that a run needs here with statements that leave nothing behind.
   *
   * @returns findings, for the user
   */
  probe(): Promise<string>;
}

/** Published scores to count. */
export interface ScoresToCount {
  readonly table: TableLayout;
  /** Name of the score column. */
  readonly column: string;
  readonly ledger: TableLayout;
  readonly job: string;
  readonly runId: string;
  readonly window: LedgerWindow;
  /** Inner edges of the bins; undefined for deciles of these scores. */
  readonly edges: readonly number[] | undefined;
}

/** Inspects the published tables independently of the ledger. A missing table counts as empty. */
export interface Audit {
  /** Reads published tables. */
  read<T>(work: (reader: TableReader) => Promise<T>): Promise<T>;
  /** Tables with rows of another job, and the name of one such job if the rows have it. */
  otherJobs(tables: Tables, job: string): Promise<readonly { readonly table: TableName; readonly job: string | undefined }[]>;
  /** Rows of the job's windows, by table and run. */
  held(tables: Tables, job: string, windows: readonly LedgerWindow[]): Promise<readonly HeldRows[]>;
  /** Distribution of a run's published scores; undefined if there are none. */
  scoreCounts(scores: ScoresToCount): Promise<ScoreCounts | undefined>;
}

/** One run's rows of one table, and DuckDB expressions over the table's columns to render them; see `csvLine`. */
export interface PublishedRows extends Rendering {
  readonly runId: string;
  readonly window: LedgerWindow;
  readonly job: string;
  readonly table: TableLayout;
}

/** Where scores go. Every method throws a ScoreBatchError whose kind matches the warehouse's error. */
export interface Sink extends Scratch, Audit {
  /** Differences between existing tables and their layouts; empty for a table that is missing or matches. */
  differences(tables: Tables): Promise<readonly string[]>;
  /**
   * Proves the permission to write with statements that leave nothing behind.
   *
   * @param targets names of the job's tables
   * @returns findings, for the user
   */
  probe(targets: readonly TableName[]): Promise<string>;
  /**
   * Whether decimals, times and UUIDs are staged as their canonical text, because warehouses read these types from Parquet
   * differently.
   */
  readonly stagesText: boolean;
  /** Local folder in which chunk workers write; staging from here is cheap. */
  workFolder(runId: string): Promise<string>;
  staged(runId: string): Promise<readonly StagedAttempt[]>;
  /** Stages one scored file. Idempotent; two attempts of one chunk are harmless. */
  stage(runId: string, scored: ScoredFile): Promise<void>;
  tally(options: ReconcileOptions): Promise<StagedTally>;
  /** The scored rows of the top ranks, in rank order. Call it after `tally`. */
  topRows(options: TopRowsOptions): Promise<readonly TopRow[]>;
  /**
   * Lets the same statements read staged rows and published tables. Call it after `tally`.
   *
   * @param work receives a FROM clause with the scored rows of the attempts: `key_0`, … and `score`, with the types of staging;
   * for a slice, with all rows
   */
  readStaged<T>(options: StagedToRead, work: (reader: TableReader, staged: string) => Promise<T>): Promise<T>;
  /**
   * Publishes in one transaction that takes the publish lock.
   *
   * @returns false if another process has already published this run; then nothing is written
   * @throws ScoreBatchError `conflict` if another run published first
   */
  publish(spec: PublicationSpec): Promise<boolean>;
  /**
   * Replaces the rows of a window in a further table and appends a ledger entry, in one transaction that takes the publish lock.
   *
   * @returns false if another run is published for the window by now; then nothing is written
   */
  amend(amendment: Amendment): Promise<boolean>;
  /** Deletes kept rows of replaced publications, in one transaction that takes the publish lock. */
  dropReplaced(replaced: AgedRows): Promise<void>;
  /** Deletes rows of boundaries, in one transaction that takes the publish lock. Does nothing if they are gone. */
  dropBoundaries(rows: BoundaryRows): Promise<void>;
  /**
   * Creates a view for people, or replaces the job's own if its definition differs.
   *
   * @throws ScoreBatchError `configuration` if a table, or a view that is not the job's, has that name
   */
  view(spec: ViewSpec): Promise<'created' | 'replaced' | 'unchanged'>;
  /**
   * Removes a person's rows, corrects the figures that include them, and appends the entries, in one transaction that takes the
   * publish lock.
   *
   * @returns false if the ledger has changed since the rows were found; then nothing is written
   */
  erase(erasure: ErasureSpec): Promise<boolean>;
  /** Rows in rank order, one range of ranks at a time, so that no window is ever sorted as a whole. */
  published(spec: PublishedRows): AsyncIterable<RenderedRange>;
  /** Where staging is, for messages. */
  stagingLocation(runId: string): string;
  /** A query that the user can run in the warehouse to see the run's rejected rows. */
  showRejected(runId: string): string;
  /**
   * A statement for people to run in the warehouse, over the staged rows (see `staged-columns.ts`). Call it after `tally`.
   * Copies the rows to scratch if people could not read them where they are.
   */
  showStaged(runId: string, statement: SelectText): Promise<string>;
  /** Drops the run's staging, if it exists. */
  discard(runId: string): Promise<void>;
}

/** The append-only ledger next to the scores table. */
export interface Ledger {
  /** Entries in the order they were written; empty if there is no ledger yet. */
  entries(filter: LedgerFilter): Promise<readonly LedgerEntry[]>;
  append(entry: LedgerEntry): Promise<void>;
  /**
   * Reads the entries of a window and appends the entry that `decide` returns, if any. No other process writes in between.
   *
   * @param decide is called again with fresh entries if another process wrote first, so it must be safe to repeat
   * @returns the `result` of `decide`
   */
  decide<T>(
    window: WindowOfJob,
    decide: (entries: readonly LedgerEntry[]) => Promise<{ readonly append?: LedgerEntry; readonly result: T }>,
  ): Promise<T>;
}

export interface Warehouse {
  readonly kind: WarehouseKind;
  /** @throws ScoreBatchError if the warehouse does not exist or cannot be reached */
  reach(): Promise<void>;
  /** Local files and folders that belong to the warehouse; undefined if it is remote. */
  readonly files?: readonly string[];
  /** For a warehouse that is opened for each operation: until disposed, read-only operations share one connection. */
  readTogether?(): AsyncDisposable;
  readonly source: Source;
  readonly sink: Sink;
  ledger(layout: TableLayout): Ledger;
  /** Closes connections. The warehouse cannot be used afterwards. */
  close(): Promise<void>;
}

export interface WarehouseOptions extends WarehouseAccess {
  /** Aborting it cancels the running statement, which then throws the signal's reason. Writing to the ledger still works. */
  readonly signal: AbortSignal;
  /** Source of credentials and endpoints. */
  readonly environment: NodeJS.ProcessEnv;
  /** Shows a warning that does not stop the run. */
  readonly warn: (message: string) => void;
  /** Notified of each statement that runs in the warehouse; see `Working`. */
  readonly working?: Working | undefined;
}

/**
 * Notes a running statement.
 *
 * @param id returns the id to look it up by in the warehouse; undefined until the warehouse has reported it
 * @returns a function to call when it has ended
 */
export type Working = (kind: 'job' | 'query', id: () => string | undefined) => () => void;

/** Everything needed to open a warehouse, as plain data: each chunk worker's thread opens its own. */
export interface WarehouseAccess {
  readonly url: string;
  /** Name of the job. Artifacts in scratch and statements in the warehouse's history carry it. */
  readonly job: string;
  /** Project root; relative paths in a URL are resolved against it. */
  readonly root: string;
  /** Schema, dataset or folder suffix for frozen tables and staging. */
  readonly scratch: string;
  /** Memory limit of an embedded warehouse in this process, bytes. */
  readonly memory: number;
  /** Memory limit for wide rows, bytes; defaults to `memory`. */
  readonly reserve?: number | undefined;
  /** Whether frozen chunks are read as unloaded Parquet files; see `source.unload`. Only Snowflake uses it. */
  readonly unload?: boolean;
  /** Cost guard: bytes a query of the source may read; undefined for no limit. */
  readonly maxBytes: number | undefined;
}
