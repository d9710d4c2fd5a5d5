import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Database, openDatabase } from '../../duckdb/database.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { ScoreBatchError } from '../../errors.ts';
import { sleep } from '../timeouts.ts';
import { isLocked } from './errors.ts';
import { readUntil } from './readers.ts';
import { inTurn } from './turns.ts';

/** A DuckDB file and the folder next to it for frozen chunks and staging. */
export interface DuckdbFile {
  /** Absolute path of the database file. */
  readonly path: string;
  /** Absolute path of the scratch folder. */
  readonly scratch: string;
  /** Name of the job, stored with artifacts in scratch. */
  readonly job: string;
  /** Memory limit of DuckDB, bytes. */
  readonly memory: number;
  /** Memory limit for wide rows, bytes; defaults to `memory`. */
  readonly reserve?: number | undefined;
  /** See `WarehouseOptions`. */
  readonly signal: AbortSignal;
}

/** How long a run waits for another process to close the file: longer than it takes to publish some 100,000 rows. */
const LOCK_WAIT_MS = 5_000;

/**
 * Opens the file only while `work` runs, so that other processes can use it while chunks are scored. Work of several runs in this
 * process takes turns.
 *
 * @throws ScoreBatchError `configuration` if a file to read does not exist; reading never creates it
 */
export function withFile<T>(file: DuckdbFile, mode: 'read' | 'write', work: (database: Database) => Promise<T>): Promise<T> {
  return inTurn(file.path, () => openFor(file, mode, work));
}

async function openFor<T>(file: DuckdbFile, mode: 'read' | 'write', work: (database: Database) => Promise<T>): Promise<T> {
  const sharing = SHARED.get(file.path);
  if (sharing !== undefined && mode === 'read') {
    const database = await openOnce(sharing, file);
    return await translated(file.path, () => work(database));
  }
  // Only one instance can have the file open for writing.
  await closeSharing(file);
  await using database = await openFile(file, mode);
  return await translated(file.path, () => work(database));
}

/** A shared read-only instance, opened on first use. */
interface Sharing {
  users: number;
  opened: Promise<Database> | undefined;
}

/** By path, because source and sink are often the same file. */
const SHARED = new Map<string, Sharing>();

/**
 * Until disposed, all read-only operations on the file share one instance, because opening it takes longer than most
 * queries. No other process can write to the file meanwhile, so keep it short.
 */
export function readTogether({ path }: DuckdbFile): AsyncDisposable {
  const sharing = SHARED.get(path) ?? { users: 0, opened: undefined };
  SHARED.set(path, sharing);
  sharing.users += 1;
  return {
    async [Symbol.asyncDispose]() {
      sharing.users -= 1;
      // A caller that opens it again before it closes keeps it. Removed from the map earlier, it could stay open beside another
      // instance.
      await inTurn(path, async () => {
        if (sharing.users > 0 || SHARED.get(path) !== sharing) return;
        SHARED.delete(path);
        await closeShared(sharing);
      });
    },
  };
}

/**
 * Runs work during which a thread of this process opens the file itself. Meanwhile nothing else in the process may have it
 * open: closing it would drop the lock of the whole process.
 */
export function elsewhere<T>(file: Pick<DuckdbFile, 'path'>, work: () => Promise<T>): Promise<T> {
  return inTurn(file.path, async () => {
    await closeSharing(file);
    return await work();
  });
}

/** Closes the instance that reads share; the next read opens it again. Only for the holder of the turn. */
export async function closeSharing({ path }: Pick<DuckdbFile, 'path'>): Promise<void> {
  const sharing = SHARED.get(path);
  if (sharing !== undefined) await closeShared(sharing);
}

async function openOnce(sharing: Sharing, file: DuckdbFile): Promise<Database> {
  const opening = sharing.opened ?? openFile(file, 'read');
  sharing.opened = opening;
  try {
    return await opening;
  } catch (error) {
    // The next attempt may succeed.
    if (sharing.opened === opening) sharing.opened = undefined;
    throw error;
  }
}

async function closeShared(sharing: Sharing): Promise<void> {
  const { opened } = sharing;
  sharing.opened = undefined;
  await (await opened)?.[Symbol.asyncDispose]();
}

/** Opens the file for callers that read it piece by piece. They must dispose of it. */
export async function openFile(file: DuckdbFile, mode: 'read' | 'write'): Promise<Database> {
  if (mode === 'read' && !existsSync(file.path)) throw missingFile(file.path);
  refuseScratch(file);
  if (mode === 'write') await mkdir(path.dirname(file.path), { recursive: true });
  return await openWaiting(file, mode);
}

/** DuckDB spills into scratch, so nothing works without that folder. */
function refuseScratch({ scratch }: DuckdbFile): void {
  // Other errors show up when something writes there.
  const found = statSync(scratch, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return;
  throw new ScoreBatchError('configuration', `scratch must be the folder ${scratch}, but a file with that name exists`, {
    hint: 'move the file, or set source.scratch and sink.scratch to another name',
  });
}

export function missingFile(file: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `the DuckDB file ${file} does not exist`, {
    hint: 'check the warehouse in the job file; score-batch never creates a source',
  });
}

/**
 * An in-memory DuckDB for work on a run's Parquet files, without a lock on the database file. Without the lock nothing shows
 * whether its process is alive, so it spills into the run's folder and is removed with it.
 *
 * @param folder of the run
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
      // Another run leaves a note of how long it needs the file; other processes get a few seconds.
      if (!isLocked(error) || (performance.now() > deadline && Date.now() > (await readUntil(file)))) throw error;
      await sleep(50 + Math.random() * 100, file.signal);
    }
  }
}

/** Runs `work` and translates errors of DuckDB and the file system. */
export async function translated<T>(subject: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw duckdbError(error, subject);
  }
}
