import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../errors.ts';
import { type Mark, newMark, readMark } from './mark.ts';

// Folders of runs on this machine: scratch of a DuckDB file, and work folders of what is loaded elsewhere. A process can be
// killed at any moment, so a folder says whose it is before anything is in it, and goes by a rename: one that is removed by half
// would say it no more.

const FILE = 'score-batch.json';
const GONE = 'score-batch-gone-';

/** Marks a folder. Renamed into place: a mark that was written by half would keep the folder from ever being collected. */
export async function markFolder(folder: string, job: string, run: string): Promise<void> {
  const pending = path.join(folder, `${FILE}.${randomBytes(4).toString('hex')}`);
  await writeFile(pending, JSON.stringify(newMark(job, run)));
  await rename(pending, path.join(folder, FILE));
}

export async function readFolderMark(folder: string): Promise<Mark | undefined> {
  return readMark(await readFile(path.join(folder, FILE), 'utf8').catch(() => undefined));
}

/** Nothing happens where it is not there. */
export async function removeFolder(folder: string): Promise<void> {
  const gone = path.join(path.dirname(folder), `${GONE}${randomBytes(4).toString('hex')}`);
  try {
    await rename(folder, gone);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  await rm(gone, { recursive: true, force: true });
}

/** Whether a folder by this name is one whose removal was begun. */
export function isBeingRemoved(name: string): boolean {
  return name.startsWith(GONE);
}

/** Names of what is in a folder; none where it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
