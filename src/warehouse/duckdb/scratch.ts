import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Left } from '../../domain/left.ts';
import { SPILL_PREFIX } from '../../duckdb/database.ts';
import { isAlive } from '../../process.ts';
import { leftBy } from '../mark.ts';
import { isBeingRemoved, markFolder, namesIn, readFolderMark, removeFolder } from '../run-folder.ts';
import type { DuckdbFile } from './file.ts';

/** The run's own folder: frozen chunks, staging, and what its workers write. */
export function runFolder(file: DuckdbFile, runId: string): string {
  return path.join(file.scratch, runId);
}

/** Makes the run's folder and one inside it. */
export async function makeRunFolder(file: DuckdbFile, runId: string, name: string): Promise<string> {
  const run = runFolder(file, runId);
  await mkdir(run, { recursive: true });
  await markFolder(run, file.job, runId);
  const folder = path.join(run, name);
  await mkdir(folder, { recursive: true });
  return folder;
}

export async function removeRunFolder(file: DuckdbFile, runId: string): Promise<void> {
  await removeFolder(runFolder(file, runId));
}

/** Folders of the job's runs, and what processes that are gone have spilled, by their absolute paths. */
export async function listLeft({ scratch, job }: DuckdbFile): Promise<Left[]> {
  const left: Left[] = [];
  for (const name of await namesIn(scratch)) {
    const folder = path.join(scratch, name);
    if (isAbandonedSpill(name) || isBeingRemoved(name)) left.push({ name: folder, run: undefined, deadline: undefined });
    else left.push(...leftBy(job, folder, await readFolderMark(folder)));
  }
  return left;
}

export async function dropLeft({ name }: Left): Promise<void> {
  await removeFolder(name);
}

/** Spilled data of a process that was killed; a DuckDB file is written from one machine only. */
function isAbandonedSpill(name: string): boolean {
  return name.startsWith(SPILL_PREFIX) && !isAlive(Number.parseInt(name.slice(SPILL_PREFIX.length), 10));
}
