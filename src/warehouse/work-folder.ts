import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { artifactsOf } from './mark.ts';
import { isBeingRemoved, markFolder, namesIn, readFolderMark, removeFolder } from './run-folder.ts';

/** Whose runs work here: what tells the warehouse from others, and the job. */
export interface WorkPlace {
  readonly warehouse: readonly string[];
  readonly job: string;
}

/** Makes the folder of this machine in which a run's chunk workers write what is loaded elsewhere. Processes of one run share it. */
export async function makeWorkFolder(place: WorkPlace, runId: string): Promise<string> {
  const folder = folderOf(place, runId);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ScoreBatchError('unavailable', `the folder ${folder} cannot be made (${systemCode(cause)})`, {
      hint: 'set TMPDIR to a folder with room that this user may write',
      cause,
    });
  }
  if (!(await isOwn(folder))) {
    throw new ScoreBatchError('permission', `the folder ${folder} is somebody else's, or open to others`, {
      hint: 'somebody on this machine may have made it; set TMPDIR to a folder of this user only',
    });
  }
  await markFolder(folder, place.job, runId);
  return folder;
}

/** Its name can be known beforehand, and where all may write anybody may be first. Elsewhere than on POSIX nothing tells. */
async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  return (
    found.isDirectory() && (process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o077) === 0))
  );
}

/** Nothing happens where it is not there. */
export async function removeWorkFolder(place: WorkPlace, runId: string): Promise<void> {
  await removeFolder(folderOf(place, runId));
}

/** The place's work folders that are on this machine, by their absolute paths. */
export async function workFolders(place: WorkPlace): Promise<ScratchArtifact[]> {
  const left: ScratchArtifact[] = [];
  for (const name of await namesIn(os.tmpdir())) {
    const folder = path.join(os.tmpdir(), name);
    // Other users of the machine may have theirs beside it.
    if (!name.startsWith(PREFIX) || !(await isOwn(folder).catch(() => false))) continue;
    if (isBeingRemoved(name)) left.push({ name: folder, run: undefined, deadline: undefined });
    const mark = await readFolderMark(folder);
    // Another warehouse may have a job by the same name.
    if (mark !== undefined && folderOf(place, mark.run) === folder) left.push(...artifactsOf(place.job, folder, mark));
  }
  return left;
}

/** @param left as `workFolders` gives it */
export async function dropWorkFolder({ name }: ScratchArtifact): Promise<void> {
  await removeFolder(name);
}

const PREFIX = 'score-batch-';

function folderOf({ warehouse, job }: WorkPlace, runId: string): string {
  const hash = createHash('sha256').update(JSON.stringify([...warehouse, job, runId]));
  return path.join(os.tmpdir(), `${PREFIX}${hash.digest('hex').slice(0, 16)}`);
}
