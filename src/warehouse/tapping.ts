import type { Query } from '../domain/query.ts';
import type { EarlierAttempt, TappedWindow } from '../domain/tapped-window.ts';
import type { Database } from '../duckdb/database.ts';
import type { Sink, Source } from './warehouse.ts';

// What a source and a sink can do that are files of this machine: rows are scored on their way out of the query (see `TappedWindow`).

/** A query of an embedded warehouse as another thread of this process can run it; plain data. */
export interface SourceSession {
  /** Absolute path of the database file. */
  readonly path: string;
  readonly scratch: string;
  readonly job: string;
  /** Bytes that the database may use. */
  readonly memory: number;
  readonly reserve?: number | undefined;
  readonly sql: string;
  readonly values: Readonly<Record<string, string | number | bigint | boolean | null>>;
  /** The query's name, for people. */
  readonly name: string;
}

/** A power that only some sources have: running the query inside this process, in one statement that our functions are part of. */
export interface EmbeddedSource {
  session(query: Query): SourceSession;
  /** Rows that the query will return, as its planner guesses without running it. */
  guessRows(query: Query): Promise<number>;
}

export function isEmbedded(source: Source): source is Source & EmbeddedSource {
  return 'session' in source;
}

/** A power of sinks that take a window which was tapped (see `TappedWindow`), on this machine. */
export interface TapSink {
  /** Makes the folder of a new attempt, whose parts are named in `outcomes/folder.ts`. */
  tapFolder(runId: string, attempt: string, batchRows: number): Promise<string>;
  /** What processes that were killed have left of the run's attempts by this scorer (see `scorerId`). */
  earlier(runId: string, scorer: string): Promise<readonly EarlierAttempt[]>;
  /** The run's whole attempt, by whichever scorer, if there is one with all its outcomes. */
  tapped(runId: string): Promise<TappedWindow | undefined>;
  /** Removes an attempt that failed before anything of it was whole. */
  giveUp(runId: string, folder: string): Promise<void>;
  /** Stages a whole attempt. @param folder as `tapFolder` gave it */
  stageTapped(runId: string, folder: string, window: TappedWindow): Promise<void>;
  /** An in-memory database for work on files of the run. */
  compute<T>(runId: string, work: (database: Database) => Promise<T>): Promise<T>;
}

export function takesTaps(sink: Sink): sink is Sink & TapSink {
  return 'stageTapped' in sink;
}
