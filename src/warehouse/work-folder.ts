import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { artifactsOf } from './mark.ts';
import { isBeingRemoved, markFolder, namesIn, readFolderMark, removeFolder } from './run-folder.ts';

/** Owner of a work folder: the parts that identify the warehouse, and the job. */
export interface WorkPlace {
  readonly warehouse: readonly string[];
  readonly job: string;
}

/**
 * Makes the local folder in which a run's chunk workers write files to upload. Processes of one run on this machine share
 * it.
 */
export async function makeWorkFolder(place: WorkPlace, runId: string): Promise<string> {
  const folder = folderOf(place, runId);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ScoreBatchError('unavailable', `cannot create the folder ${folder} (${systemCode(cause)})`, {
      hint: 'set TMPDIR to a folder with free space that this user can write to',
      cause,
    });
  }
  if (!(await isOwn(folder))) {
    throw new ScoreBatchError('permission', `the folder ${folder} belongs to another user or is accessible to other users`, {
      hint: 'another user of this machine may have created it; set TMPDIR to a folder that only this user can access',
    });
  }
  await markFolder(folder, place.job, runId);
  return folder;
}

/** The name is predictable, so in a shared folder another user could create it first. Only POSIX systems can tell. */
async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  return (
    found.isDirectory() && (process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o077) === 0))
  );
}

/** Does nothing if the folder does not exist. */
export async function removeWorkFolder(place: WorkPlace, runId: string): Promise<void> {
  await removeFolder(folderOf(place, runId));
}

/** The owner's work folders on this machine, by absolute path. */
export async function workFolders(place: WorkPlace): Promise<ScratchArtifact[]> {
  const artifacts: ScratchArtifact[] = [];
  for (const name of await namesIn(os.tmpdir())) {
    const folder = path.join(os.tmpdir(), name);
    // Other users of the machine can have folders here too.
    if (!name.startsWith(PREFIX) || !(await isOwn(folder).catch(() => false))) continue;
    if (isBeingRemoved(name)) artifacts.push({ name: folder, run: undefined, deadline: undefined });
    const mark = await readFolderMark(folder);
    // A job of another warehouse can have the same name.
    if (mark !== undefined && folderOf(place, mark.run) === folder) artifacts.push(...artifactsOf(place.job, folder, mark));
  }
  return artifacts;
}

/** @param artifact as returned by `workFolders` */
export async function dropWorkFolder({ name }: ScratchArtifact): Promise<void> {
  await removeFolder(name);
}

const PREFIX = 'score-batch-';

function folderOf({ warehouse, job }: WorkPlace, runId: string): string {
  const hash = createHash('sha256').update(JSON.stringify([...warehouse, job, runId]));
  return path.join(os.tmpdir(), `${PREFIX}${hash.digest('hex').slice(0, 16)}`);
}
