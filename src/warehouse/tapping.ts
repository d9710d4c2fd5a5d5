import type { Query } from '../domain/query.ts';
import type { EarlierAttempt, TappedWindow } from '../domain/tapped-window.ts';
import type { Database } from '../duckdb/database.ts';
import type { Sink, Source } from './warehouse.ts';

// Capabilities of a source and a sink that are local files: rows are scored while the query returns them (see
// `TappedWindow`).

/** A query of an embedded warehouse as plain data, so that another thread of this process can run it. */
export interface SourceSession {
  /** Absolute path of the database file. */
  readonly path: string;
  readonly scratch: string;
  readonly job: string;
  /** Memory limit of the database, bytes. */
  readonly memory: number;
  readonly reserve?: number | undefined;
  readonly sql: string;
  readonly values: Readonly<Record<string, string | number | bigint | boolean | null>>;
  /** The query's display name. */
  readonly name: string;
}

/** Optional capability of a source: it runs the query inside this process, in a statement that can call our functions. */
export interface EmbeddedSource {
  session(query: Query): SourceSession;
  /** Keeps the database closed in the rest of this process while another thread works with a session. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** The planner's estimate of the number of rows; does not run the query. */
  guessRows(query: Query): Promise<number>;
}

export function isEmbedded(source: Source): source is Source & EmbeddedSource {
  return 'session' in source;
}

/** Optional capability of a sink: it accepts a tapped window (see `TappedWindow`), on this machine. */
export interface TapSink {
  /** Makes the folder of a new attempt; `outcomes/folder.ts` names its parts. */
  tapFolder(runId: string, attempt: string, batchRows: number): Promise<string>;
  /** Usable parts of the run's unfinished attempts by this scorer (see `scorerId`), left by killed processes. */
  earlier(runId: string, scorer: string): Promise<readonly EarlierAttempt[]>;
  /** The run's complete attempt by any scorer, if there is one. */
  tapped(runId: string): Promise<TappedWindow | undefined>;
  /** Removes a failed attempt that has no usable part. */
  giveUp(runId: string, folder: string): Promise<void>;
  /** Stages a complete attempt. @param folder as returned by `tapFolder` */
  stageTapped(runId: string, folder: string, window: TappedWindow): Promise<void>;
  /** Opens an in-memory database for work on the run's files. */
  compute<T>(runId: string, work: (database: Database) => Promise<T>): Promise<T>;
}

export function takesTaps(sink: Sink): sink is Sink & TapSink {
  return 'stageTapped' in sink;
}
