import { mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { KeptRows } from '../../domain/kept-rows.ts';
import type { ScratchArtifact } from '../../domain/scratch-artifact.ts';
import { isSpill } from '../../duckdb/spill.ts';
import { systemCode } from '../../errors.ts';
import { artifactsOf } from '../mark.ts';
import { isBeingRemoved, isMark, isTaken, markFolder, namesIn, readFolderMark, removeFolder } from '../run-folder.ts';
import type { DuckdbFile } from './file.ts';
import { isReadingNote } from './readers.ts';
import { spilled } from './spilled.ts';

/** Folder of a run's frozen rows inside the run's folder, and the file without which they are incomplete. */
export const FROZEN = 'frozen';
/** The complete rows without an erased person, until they replace the frozen ones. */
export const ERASED = 'erased';
export const MANIFEST = 'frozen.json';

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
    if (isBeingRemoved(name)) artifacts.push(goneFolder(folder));
    else artifacts.push(...(await artifactsOfRun(job, folder)));
  }
  return artifacts;
}

function goneFolder(folder: string): ScratchArtifact {
  return { name: folder, run: undefined, deadline: undefined };
}

/**
 * The artifacts of a run's folder. If it has kept rows, the rest is listed separately: that is dropped once its run has
 * published.
 */
async function artifactsOfRun(job: string, folder: string): Promise<ScratchArtifact[]> {
  const mark = await readFolderMark(folder);
  const kept = mark?.job === job ? await keptIn(folder) : undefined;
  if (mark === undefined || kept === undefined) return artifactsOf(job, folder, mark);
  const others = (await namesIn(folder)).filter((name) => !isKept(name));
  return [
    ...artifactsOf(job, folder, { ...mark, kept }),
    ...others.map((name) =>
      isBeingRemoved(name)
        ? goneFolder(path.join(folder, name))
        : { name: path.join(folder, name), run: mark.run, deadline: mark.deadline },
    ),
  ];
}

function isKept(name: string): boolean {
  return name === FROZEN || name === ERASED || isMark(name);
}

/**
 * Puts the rows without an erased person in place of the original ones if a process was killed in between; drops them if other
 * rows are in that place by now. Whatever is moved aside is checked again, since other processes do the same.
 */
export async function finishErasure(folder: string): Promise<void> {
  const [erased, frozen] = [path.join(folder, ERASED), path.join(folder, FROZEN)];
  const next = await manifestIn(erased);
  if (next === undefined) return;
  const now = await manifestIn(frozen);
  if (now !== undefined && now.id !== next.replaces) return await removeTable(erased, next.id);
  await removeTable(frozen, now?.id);
  try {
    await rename(erased, frozen);
  } catch (error) {
    // Another process has done it.
    if (systemCode(error) !== 'ENOENT' && !isTaken(error)) throw error;
  }
}

/** Removes a frozen table unless another one has taken its name. */
async function removeTable(folder: string, id: string | undefined): Promise<void> {
  await removeFolder(folder, async (moved) => (await manifestIn(moved))?.id === id);
}

interface FrozenManifest {
  readonly id?: string;
  readonly kept?: KeptRows;
  /** Id of the table that this one replaces, which still contains the erased person. */
  readonly replaces?: string;
}

/** Undefined if it is missing or damaged. */
async function manifestIn(folder: string): Promise<FrozenManifest | undefined> {
  try {
    return JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')) as FrozenManifest;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Id of the run's frozen table; undefined if there is none. */
export async function frozenId(file: DuckdbFile, runId: string): Promise<string | undefined> {
  return (await manifestIn(path.join(runFolder(file, runId), FROZEN)))?.id;
}

/** How a run's frozen rows are kept, from their manifest; undefined if they are not kept. */
async function keptIn(folder: string): Promise<KeptRows | undefined> {
  return ((await manifestIn(path.join(folder, ERASED))) ?? (await manifestIn(path.join(folder, FROZEN))))?.kept;
}

/** Removes everything of a run except kept rows. */
export async function discardRun(file: DuckdbFile, runId: string): Promise<void> {
  const folder = runFolder(file, runId);
  if ((await keptIn(folder)) === undefined) return await removeFolder(folder);
  for (const name of await namesIn(folder)) if (!isKept(name)) await removeFolder(path.join(folder, name));
}

export async function dropArtifact({ name }: ScratchArtifact): Promise<void> {
  await removeFolder(name);
}
