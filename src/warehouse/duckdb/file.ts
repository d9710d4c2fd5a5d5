import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase } from '../../duckdb/database.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { ScoreBatchError } from '../../errors.ts';
import { isLocked } from './errors.ts';
import { readUntil } from './readers.ts';

/** A DuckDB file with the folder beside it that holds frozen chunks and staging. */
export interface DuckdbFile {
  /** Absolute path of the database file. */
  readonly path: string;
  /** Absolute path of the scratch folder. */
  readonly scratch: string;
  /** Name of the job, written on what is left in scratch. */
  readonly job: string;
  /** Bytes that DuckDB may use. */
  readonly memory: number;
  /** Bytes that it may use where rows are wide; the same by default. */
  readonly reserve?: number | undefined;
  /** See `WarehouseOptions`. */
  readonly signal: AbortSignal;
}

/** How long a run waits for another process to let go of the file: longer than a publish of some 100,000 rows takes. */
const LOCK_WAIT_MS = 5_000;

/**
 * Opens the file for the length of `work` only, so that others can use it while chunks are scored.
 *
 * @throws ScoreBatchError `configuration` where a file to read is missing; it is never created by reading
 */
export async function withFile<T>(
  file: DuckdbFile,
  mode: 'read' | 'write',
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const sharing = SHARED.get(file.path);
  if (sharing !== undefined && mode === 'read') {
    const database = await openOnce(sharing, file);
    return await translated(file.path, () => work(database));
  }
  // One process has the file open for writing, and in it one instance.
  if (sharing !== undefined) await closeShared(sharing);
  await using database = await openFile(file, mode);
  return await translated(file.path, () => work(database));
}

/** Who reads the file together, and the instance, once somebody has asked for it. */
interface Sharing {
  users: number;
  opened: Promise<Database> | undefined;
}

/** By path: source and sink are often one file. */
const SHARED = new Map<string, Sharing>();

/**
 * Until it is disposed of, whatever only reads the file reads one instance, which the first of them opens: that takes longer than most
 * questions. Nobody can write the file meanwhile, so it is for short questions only.
 */
export function readTogether({ path }: DuckdbFile): AsyncDisposable {
  const sharing = SHARED.get(path) ?? { users: 0, opened: undefined };
  SHARED.set(path, sharing);
  sharing.users += 1;
  return {
    async [Symbol.asyncDispose]() {
      sharing.users -= 1;
      if (sharing.users > 0) return;
      SHARED.delete(path);
      await closeShared(sharing);
    },
  };
}

async function openOnce(sharing: Sharing, file: DuckdbFile): Promise<Database> {
  const opening = sharing.opened ?? openFile(file, 'read');
  sharing.opened = opening;
  try {
    return await opening;
  } catch (error) {
    // The next one may find it.
    if (sharing.opened === opening) sharing.opened = undefined;
    throw error;
  }
}

async function closeShared(sharing: Sharing): Promise<void> {
  const { opened } = sharing;
  sharing.opened = undefined;
  await (await opened)?.[Symbol.asyncDispose]();
}

/** The file itself, for who reads it in pieces; must be disposed of. */
export async function openFile(file: DuckdbFile, mode: 'read' | 'write'): Promise<Database> {
  if (mode === 'read' && !existsSync(file.path)) throw missingFile(file.path);
  refuseScratch(file);
  if (mode === 'write') await mkdir(path.dirname(file.path), { recursive: true });
  return await openWaiting(file, mode);
}

/** What does not fit into memory goes there too, so that nothing can be opened without it. */
function refuseScratch({ scratch }: DuckdbFile): void {
  // One that cannot be looked at is told by whoever writes there.
  const found = statSync(scratch, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return;
  throw new ScoreBatchError('configuration', `scratch is to be the folder ${scratch}, and there is a file of that name`, {
    hint: 'move the file away, or set source.scratch and sink.scratch to another name',
  });
}

export function missingFile(file: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `the DuckDB file ${file} does not exist`, {
    hint: 'check the warehouse in the job file; score-batch never creates a source',
  });
}

/**
 * An in-memory DuckDB for work on a run's Parquet files, which needs no lock on the database file. No lock would tell whether its
 * process lives, so it spills into the run's folder and goes with it.
 *
 * @param folder the run's
 */
export async function withMemory<T>(file: DuckdbFile, folder: string, work: (database: Database) => Promise<T>): Promise<T> {
  refuseScratch(file);
  await using database = await openDatabase(':memory:', {
    memory: file.memory,
    temporary: folder,
    signal: file.signal,
  });
  return await translated(file.scratch, () => work(database));
}

async function openWaiting(file: DuckdbFile, mode: 'read' | 'write'): Promise<Database> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return await translated(file.path, () =>
        openDatabase(file.path, {
          readOnly: mode === 'read',
          memory: file.memory,
          temporary: file.scratch,
          signal: file.signal,
        }),
      );
    } catch (error) {
      file.signal.throwIfAborted();
      // Another run says how long it has the file; anybody else gets a moment.
      if (!isLocked(error) || (performance.now() > deadline && Date.now() > (await readUntil(file)))) throw error;
      await sleep(50 + Math.random() * 100);
    }
  }
}

/** Runs `work` so that what DuckDB or the file system says is in this program's words. */
export async function translated<T>(subject: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw duckdbError(error, subject);
  }
}
