import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';

/** Named values for `$name` in a statement; text is cast where the statement says so. */
export type Values = Readonly<Record<string, string | number | bigint | boolean | null>>;

/** A value of a small result as the client gives it; 64-bit integers are bigints. */
export type Cell = DuckDBValue;

export interface DatabaseOptions {
  readonly readOnly?: boolean;
  readonly threads?: number;
  /** Bytes that buffers may take before they go to `temporary`. */
  readonly memory: number;
  /** Folder for what does not fit into memory; made when it is needed. */
  readonly temporary: string;
}

/** One DuckDB instance with one connection: one statement at a time. */
export interface Database extends AsyncDisposable {
  readonly connection: DuckDBConnection;
  run(sql: string, values?: Values): Promise<void>;
  /** All rows of a small result. */
  rows(sql: string, values?: Values): Promise<Cell[][]>;
  /** Makes the running statement fail; nothing happens where none runs. */
  interrupt(): void;
}

/** A path for files, or `:memory:`. A file is opened in one thread only: a second instance would lose its writes. */
export async function openDatabase(path: string, options: DatabaseOptions): Promise<Database> {
  const instance = await DuckDBInstance.create(path, {
    ...(options.readOnly && { access_mode: 'READ_ONLY' }),
    ...(options.threads !== undefined && { threads: String(options.threads) }),
    memory_limit: `${Math.floor(options.memory / 1_000_000)}MB`,
    temp_directory: options.temporary,
    // What a job needs is bundled; a missing extension is an error and not a download.
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const database: Database = {
    connection,
    async run(sql, values) {
      await connection.run(sql, values);
    },
    async rows(sql, values) {
      return (await connection.runAndReadAll(sql, values)).getRows();
    },
    interrupt: () => connection.interrupt(),
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
  await connection.run("SET TimeZone = 'UTC'");
  return database;
}

/** Runs `work` so that an abort of `signal` interrupts the statement that is running and ends in the signal's reason. */
export async function interruptible<T>(database: Database, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const interrupt = () => database.interrupt();
  signal.throwIfAborted();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}
