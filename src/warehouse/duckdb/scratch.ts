import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SPILL_PREFIX } from '../../duckdb/database.ts';
import { systemCode } from '../../errors.ts';
import { isAlive } from '../../process.ts';
import { isOver, newMark, readMark } from '../mark.ts';
import type { RunsOver } from '../warehouse.ts';
import type { DuckdbFile } from './file.ts';

const MARK = 'score-batch.json';

/** The run's own folder: frozen chunks, staging, and what its workers write. */
export function runFolder(file: DuckdbFile, runId: string): string {
  return path.join(file.scratch, runId);
}

/** Makes the run's folder and one inside it. */
export async function makeRunFolder(file: DuckdbFile, runId: string, name: string): Promise<string> {
  const folder = path.join(runFolder(file, runId), name);
  await mkdir(folder, { recursive: true });
  // Renamed into place: a mark that was written by half would keep the folder from ever being collected.
  const pending = path.join(runFolder(file, runId), `${MARK}.${randomBytes(4).toString('hex')}`);
  await writeFile(pending, JSON.stringify(newMark(file.job, runId)));
  await rename(pending, path.join(runFolder(file, runId), MARK));
  return folder;
}

export async function removeRunFolder(file: DuckdbFile, runId: string): Promise<void> {
  await rm(runFolder(file, runId), { recursive: true, force: true });
}

/** Removes folders of the job whose run is over, or whose deadline is past. */
export async function collectRunFolders(file: DuckdbFile, over: RunsOver, now: number): Promise<void> {
  let done: ReadonlySet<string> | undefined;
  for (const name of await names(file.scratch)) {
    if (isAbandonedSpill(name)) await removeRunFolder(file, name);
    const mark = readMark(await readFile(path.join(file.scratch, name, MARK), 'utf8').catch(() => undefined));
    if (mark?.job !== file.job) continue;
    done ??= await over();
    if (isOver(mark, done, now)) await removeRunFolder(file, name);
  }
}

/** Spilled data of a process that was killed; a DuckDB file is written from one machine only. */
function isAbandonedSpill(name: string): boolean {
  return name.startsWith(SPILL_PREFIX) && !isAlive(Number.parseInt(name.slice(SPILL_PREFIX.length), 10));
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
