import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { inodeOf, spillFolder } from './spill.ts';
import { literal } from './sql.ts';

const INTERRUPT_MS = 50;

/** Values for `$name` in a statement. */
export type Values = Readonly<Record<string, string | number | bigint | boolean | null>>;

/** A value of a small result. 64-bit integers are bigints. */
export type Cell = DuckDBValue;

export interface DatabaseOptions {
  readonly readOnly?: boolean;
  /** By default the number of processors, limited by the memory. */
  readonly threads?: number;
  /** Bytes of buffers before DuckDB spills to `temporary`. */
  readonly memory: number;
  /** Each instance spills to a folder of its own inside this one, created on demand. */
  readonly temporary: string;
  /** Aborting it interrupts the running statement, which throws the signal's reason, and prevents others. */
  readonly signal?: AbortSignal;
}

/** A DuckDB instance with one connection, which runs one statement at a time. */
export interface Database extends AsyncDisposable {
  readonly connection: DuckDBConnection;
  /** DuckDB's name for the file, to distinguish its tables from a schema of the same name. */
  readonly catalog: string;
  /** See `DatabaseOptions`: the place for other short-lived files. */
  readonly temporary: string;
  run(sql: string, values?: Values): Promise<void>;
  /** All rows of a small result. */
  rows(sql: string, values?: Values): Promise<Cell[][]>;
  /**
   * Returns unused memory of all instances of the process to the system. DuckDB's allocator only does so itself when it frees
   * much at once, or when an instance closes.
   */
  release(): Promise<void>;
}

/** Each thread fills its own row groups and sorts its own runs. With less than this per thread, statements fail or keep spilling. */
const BYTES_PER_THREAD = 48 * 2 ** 20;

function threadsFor(memory: number): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(memory / BYTES_PER_THREAD)));
}

/** @param file a path or `:memory:`. Open a file in one thread only: a second instance would lose its writes. */
export async function openDatabase(file: string, options: DatabaseOptions): Promise<Database> {
  const inode = file === ':memory:' ? undefined : await inodeOf(file);
  // Instances use the same names for their spill files. In a shared folder they would read and delete each other's.
  let spill = spillFolder(options.temporary, inode);
  const limit = `${Math.floor(options.memory / 1_000_000)}MB`;
  const instance = await DuckDBInstance.create(file, {
    ...(options.readOnly && { access_mode: 'READ_ONLY' }),
    threads: String(options.threads ?? threadsFor(options.memory)),
    memory_limit: limit,
    temp_directory: spill,
    // Jobs only need bundled extensions. A missing one should be an error, not a download.
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  if (inode !== undefined && (await inodeOf(file)) !== inode) {
    // The file was replaced during the open, so the folder's name may refer to the wrong inode.
    spill = spillFolder(options.temporary, undefined);
    await connection.run(`SET temp_directory = ${literal(spill)}`);
  }
  const { signal } = options;
  let repeating: NodeJS.Timeout | undefined;
  // Repeat until the statement ends, because an interrupt before the statement starts has no effect.
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
    // Setting the limit also flushes the allocator (BufferPool::SetLimit).
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
