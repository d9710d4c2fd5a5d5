import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ScratchArtifact } from '../../domain/scratch-artifact.ts';
import { isSpill } from '../../duckdb/spill.ts';
import { artifactsOf } from '../mark.ts';
import { isBeingRemoved, markFolder, namesIn, readFolderMark, removeFolder } from '../run-folder.ts';
import type { DuckdbFile } from './file.ts';
import { isReadingNote } from './readers.ts';
import { spilled } from './spilled.ts';

/** The run's folder, for frozen chunks, staging and the files of its workers. */
export function runFolder(file: DuckdbFile, runId: string): string {
  return path.join(file.scratch, runId);
}

/** Makes the run's folder and a folder inside it. */
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

/**
 * Folders of the job's runs and leftovers of DuckDB instances, by absolute path. This process must not have the database
 * file open: see `spilled`.
 */
export async function listArtifacts(file: DuckdbFile): Promise<ScratchArtifact[]> {
  const { scratch, job } = file;
  const names = await namesIn(scratch);
  const ofInstances = names.filter((name) => isSpill(name) || isReadingNote(name));
  const artifacts: ScratchArtifact[] = await spilled(file, ofInstances);
  for (const name of names) {
    if (ofInstances.includes(name)) continue;
    const folder = path.join(scratch, name);
    if (isBeingRemoved(name)) artifacts.push({ name: folder, run: undefined, deadline: undefined });
    else artifacts.push(...artifactsOf(job, folder, await readFolderMark(folder)));
  }
  return artifacts;
}

export async function dropArtifact({ name }: ScratchArtifact): Promise<void> {
  await removeFolder(name);
}
