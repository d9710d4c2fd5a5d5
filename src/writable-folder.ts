import { lstat, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from './errors.ts';

/**
 * Proves that this process may write in a folder, or make it where it is not there yet. A file is made and removed; no folder is.
 *
 * @param name of the file
 * @throws the system's error where it may not
 */
export async function proveWritable(folder: string, name: string): Promise<void> {
  let there = folder;
  // The nearest folder that is there is the one in which the others would be made.
  while (!(await isThere(there)) && there !== path.dirname(there)) there = path.dirname(there);
  const file = path.join(there, name);
  const handle = await open(file, 'wx');
  try {
    await handle.close();
  } finally {
    await rm(file, { force: true });
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
