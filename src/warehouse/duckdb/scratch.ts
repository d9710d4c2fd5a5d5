import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SPILL_PREFIX } from '../../duckdb/database.ts';
import { systemCode } from '../../errors.ts';
import { isAlive } from '../../process.ts';
import type { RunsOver } from '../warehouse.ts';
import type { DuckdbFile } from './file.ts';

/** What a run's folder in scratch says of itself; a folder without it is not ours and is left alone. */
interface Mark {
  readonly createdBy: 'score-batch';
  readonly job: string;
  /** ISO instant after which the folder may go, whatever became of its run. */
  readonly deadline: string;
}

const MARK = 'score-batch.json';
const LIFETIME_MS = 7 * 86_400_000;

/** The run's own folder: frozen chunks, staging, and what its workers write. */
export function runFolder(file: DuckdbFile, runId: string): string {
  return path.join(file.scratch, runId);
}

/** Makes the run's folder and one inside it. */
export async function makeRunFolder(file: DuckdbFile, runId: string, name: string): Promise<string> {
  const folder = path.join(runFolder(file, runId), name);
  await mkdir(folder, { recursive: true });
  const mark: Mark = { createdBy: 'score-batch', job: file.job, deadline: new Date(Date.now() + LIFETIME_MS).toISOString() };
  // Renamed into place: a mark that was written by half would keep the folder from ever being collected.
  const pending = path.join(runFolder(file, runId), `${MARK}.${randomBytes(4).toString('hex')}`);
  await writeFile(pending, JSON.stringify(mark));
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
    const mark = await readMark(path.join(file.scratch, name, MARK));
    if (mark?.job !== file.job) continue;
    done ??= await over();
    if (done.has(name) || Date.parse(mark.deadline) < now) await removeRunFolder(file, name);
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

async function readMark(file: string): Promise<Mark | undefined> {
  try {
    const mark = JSON.parse(await readFile(file, 'utf8')) as Mark;
    return mark.createdBy === 'score-batch' ? mark : undefined;
  } catch {
    return undefined;
  }
}
