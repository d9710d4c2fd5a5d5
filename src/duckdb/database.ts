import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { inodeOf, spillFolder } from './spill.ts';
import { literal } from './sql.ts';

const INTERRUPT_MS = 50;

/** Named values for `$name` in a statement; text is cast where the statement says so. */
export type Values = Readonly<Record<string, string | number | bigint | boolean | null>>;

/** A value of a small result as the client gives it; 64-bit integers are bigints. */
export type Cell = DuckDBValue;

export interface DatabaseOptions {
  readonly readOnly?: boolean;
  /** As many as there are processors by default, but no more than the memory is enough for. */
  readonly threads?: number;
  /** Bytes that buffers may take before they go to `temporary`. */
  readonly memory: number;
  /** Folder in which each instance makes one of its own for what does not fit into memory, when it is needed. */
  readonly temporary: string;
  /** Aborting it ends the statement that runs, in the signal's reason, and lets no other begin. */
  readonly signal?: AbortSignal;
}

/** One DuckDB instance with one connection: one statement at a time. */
export interface Database extends AsyncDisposable {
  readonly connection: DuckDBConnection;
  /** Name that DuckDB gives to the file, by which its tables can be told from a schema of the same name. */
  readonly catalog: string;
  /** See `DatabaseOptions`: the place for other files that are soon gone. */
  readonly temporary: string;
  run(sql: string, values?: Values): Promise<void>;
  /** All rows of a small result. */
  rows(sql: string, values?: Values): Promise<Cell[][]>;
  /**
   * Gives memory that is not used any more back to the system, of all instances of the process. DuckDB's allocator does so by itself only
   * when it frees much at once, and when an instance is closed.
   */
  release(): Promise<void>;
}

/** Each thread fills row groups of its own, and sorts its own runs: with less than this for each, statements fail or spill all the time. */
const BYTES_PER_THREAD = 48 * 2 ** 20;

function threadsFor(memory: number): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(memory / BYTES_PER_THREAD)));
}

/** A path for files, or `:memory:`. A file is opened in one thread only: a second instance would lose its writes. */
export async function openDatabase(file: string, options: DatabaseOptions): Promise<Database> {
  const inode = file === ':memory:' ? undefined : await inodeOf(file);
  // Instances give their spill files the same names: in one folder they read and delete each other's.
  let spill = spillFolder(options.temporary, inode);
  const limit = `${Math.floor(options.memory / 1_000_000)}MB`;
  const instance = await DuckDBInstance.create(file, {
    ...(options.readOnly && { access_mode: 'READ_ONLY' }),
    threads: String(options.threads ?? threadsFor(options.memory)),
    memory_limit: limit,
    temp_directory: spill,
    // What a job needs is bundled; a missing extension is an error and not a download.
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  if (inode !== undefined && (await inodeOf(file)) !== inode) {
    // The file was replaced while it was opened, so the folder's name may speak of the wrong one.
    spill = spillFolder(options.temporary, undefined);
    await connection.run(`SET temp_directory = ${literal(spill)}`);
  }
  const { signal } = options;
  let repeating: NodeJS.Timeout | undefined;
  // Again and again until the statement ends: one that has not begun yet forgets that it was interrupted.
  const interrupt = () => {
    connection.interrupt();
    repeating ??= setInterval(() => connection.interrupt(), INTERRUPT_MS);
  };
  const stoppable = async <T>(statement: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    try {
      return await statement();
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      clearInterval(repeating);
    }
  };
  await connection.run("SET TimeZone = 'UTC'");
  const [row] = (await connection.runAndReadAll('SELECT current_database()')).getRows();
  signal?.addEventListener('abort', interrupt);
  return {
    connection,
    catalog: String(row?.[0]),
    temporary: options.temporary,
    run: (sql, values) =>
      stoppable(async () => {
        await connection.run(sql, values);
      }),
    rows: (sql, values) => stoppable(async () => (await connection.runAndReadAll(sql, values)).getRows()),
    // Setting the limit flushes the allocator (BufferPool::SetLimit).
    release: () =>
      stoppable(async () => {
        await connection.run(`SET memory_limit = '${limit}'`);
      }),
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', interrupt);
      clearInterval(repeating);
      connection.closeSync();
      instance.closeSync();
      await rm(spill, { recursive: true, force: true });
    },
  };
}
