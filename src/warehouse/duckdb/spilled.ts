import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ScratchArtifact } from '../../domain/scratch-artifact.ts';
import { openDatabase } from '../../duckdb/database.ts';
import { inodeOf, inodeOfLockFile } from '../../duckdb/spill.ts';
import type { DuckdbFile } from './file.ts';

/** As long as everything in scratch: see the marks of run folders. */
const LIFETIME_MS = 7 * 86_400_000;

/**
 * What DuckDB instances have spilled in scratch and not removed, and notes of who read the file. They may go where nobody has the file
 * open whose lock their instance held: see `duckdb/spill.ts`. Anything else may be of a process that lives, and stays until nobody has written to it
 * for seven days: its file was replaced, another process has the file open, or a version before this one made it.
 *
 * This process must not have the file open itself: the system would let it have the lock twice, and release both with one.
 *
 * @param names in scratch that were there before; what is made later does not count
 */
export async function spilled(file: DuckdbFile, names: readonly string[]): Promise<ScratchArtifact[]> {
  const unused = names.some((name) => inodeOfLockFile(name) !== undefined) ? await unusedInode(file) : undefined;
  const left: ScratchArtifact[] = [];
  for (const name of names) {
    const folder = path.join(file.scratch, name);
    const gone = unused !== undefined && inodeOfLockFile(name) === unused;
    const deadline = gone ? undefined : new Date((await lastWritten(folder)) + LIFETIME_MS).toISOString();
    left.push({ name: folder, run: undefined, deadline });
  }
  return left;
}

/**
 * Inode of the database file, if nobody has it open: who opens it for writing is alone with it. Nothing is written. A file with a
 * write-ahead log is left alone: to open it would write into it, and the next run's ledger entry does so anyway.
 */
async function unusedInode(file: DuckdbFile): Promise<bigint | undefined> {
  const inode = await inodeOf(file.path);
  if (inode === undefined || existsSync(`${file.path}.wal`)) return undefined;
  try {
    await using _ = await openDatabase(file.path, { memory: file.memory, temporary: file.scratch });
    return (await inodeOf(file.path)) === inode ? inode : undefined;
  } catch {
    // In use, not ours to write, or damaged: whatever it is, it proves nothing.
    return undefined;
  }
}

/** Epoch milliseconds; now where it has just gone. */
async function lastWritten(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const times = [folder, ...names.map((name) => path.join(folder, name))].map(async (one) => (await stat(one)).mtimeMs);
  const settled = await Promise.allSettled(times);
  return Math.max(...settled.map((time) => (time.status === 'fulfilled' ? time.value : Date.now())));
}
