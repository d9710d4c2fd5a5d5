import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../errors.ts';
import { type Mark, newMark, readMark } from './mark.ts';

// Folders of runs on this machine: the scratch folder of a DuckDB file, and work folders for uploads to other warehouses. A
// process can be killed at any moment. So a folder is marked before anything is written into it, and renamed before it is
// deleted: a half-deleted folder might have lost its mark.

const FILE = 'score-batch.json';
const GONE = 'score-batch-gone-';

/** Marks a folder. The mark is renamed into place: a half-written mark would keep the folder from ever being cleaned up. */
export async function markFolder(folder: string, job: string, run: string): Promise<void> {
  const pending = path.join(folder, `${FILE}.${randomBytes(4).toString('hex')}`);
  await writeFile(pending, JSON.stringify(newMark(job, run)));
  await rename(pending, path.join(folder, FILE));
}

/** Whether a file in a run's folder is its mark, whole or half-written. */
export function isMark(name: string): boolean {
  return name.startsWith(FILE);
}

export async function readFolderMark(folder: string): Promise<Mark | undefined> {
  return readMark(await readFile(path.join(folder, FILE), 'utf8').catch(() => undefined));
}

/**
 * Does nothing if the folder does not exist.
 *
 * @param isMeant is asked about the renamed folder: if it is not the intended one, because another process had put one there,
 * it is moved back
 */
export async function removeFolder(folder: string, isMeant?: (moved: string) => Promise<boolean>): Promise<void> {
  const gone = path.join(path.dirname(folder), `${GONE}${randomBytes(4).toString('hex')}`);
  try {
    await rename(folder, gone);
    if (isMeant && !(await isMeant(gone))) return await rename(gone, folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    if (!isTaken(error)) throw error;
  }
  await rm(gone, { recursive: true, force: true });
}

/** Whether a rename failed because another folder has the name. */
export function isTaken(error: unknown): boolean {
  return systemCode(error) === 'ENOTEMPTY' || systemCode(error) === 'EEXIST';
}

/** Whether the removal of the folder with this name has started. */
export function isBeingRemoved(name: string): boolean {
  return name.startsWith(GONE);
}

/** Names of a folder's entries; empty if the folder does not exist. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
