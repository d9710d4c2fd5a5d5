import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ScratchArtifact } from '../../domain/scratch-artifact.ts';
import { openDatabase } from '../../duckdb/database.ts';
import { inodeOf, inodeOfLockFile } from '../../duckdb/spill.ts';
import type { DuckdbFile } from './file.ts';

/** The same lifetime as the marks of run folders. */
const LIFETIME_MS = 7 * 86_400_000;

/**
 * Spill that DuckDB instances left in scratch, and notes of readers. They can be dropped if no process has the file open that
 * their instance had locked: see `duckdb/spill.ts`. Anything else may belong to a live process, and stays until it has not been
 * written to for seven days: its file was replaced, another process has the file open, or an older version made it.
 *
 * This process must not have the file open: the system would grant it the lock twice, and release both at once.
 *
 * @param names of entries in scratch, listed before this call
 */
export async function spilled(file: DuckdbFile, names: readonly string[]): Promise<ScratchArtifact[]> {
  const unused = names.some((name) => inodeOfLockFile(name) !== undefined) ? await unusedInode(file) : undefined;
  const artifacts: ScratchArtifact[] = [];
  for (const name of names) {
    const folder = path.join(file.scratch, name);
    const gone = unused !== undefined && inodeOfLockFile(name) === unused;
    const deadline = gone ? undefined : new Date((await lastWritten(folder)) + LIFETIME_MS).toISOString();
    artifacts.push({ name: folder, run: undefined, deadline });
  }
  return artifacts;
}

/**
 * Inode of the database file, if no process has it open: opening it for writing proves that. Nothing is written. A file with
 * a write-ahead log is skipped, because opening it would write to it; the next run's ledger entry does that anyway.
 */
async function unusedInode(file: DuckdbFile): Promise<bigint | undefined> {
  const inode = await inodeOf(file.path);
  if (inode === undefined || existsSync(`${file.path}.wal`)) return undefined;
  try {
    await using _ = await openDatabase(file.path, { memory: file.memory, temporary: file.scratch });
    return (await inodeOf(file.path)) === inode ? inode : undefined;
  } catch {
    // In use, not writable, or damaged: none of these proves that it is unused.
    return undefined;
  }
}

/** Epoch milliseconds; the current time if it has just been removed. */
async function lastWritten(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const times = [folder, ...names.map((name) => path.join(folder, name))].map(async (one) => (await stat(one)).mtimeMs);
  const settled = await Promise.allSettled(times);
  return Math.max(...settled.map((time) => (time.status === 'fulfilled' ? time.value : Date.now())));
}
