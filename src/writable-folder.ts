import { lstat, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from './errors.ts';

/**
 * Checks that this process can write to a folder, or can create it. Creates and removes a file, but no folder.
 *
 * @param name of the file
 * @throws the system's error if it cannot
 */
export async function assertWritable(folder: string, name: string): Promise<void> {
  let existing = folder;
  // Missing folders would be created in the nearest existing one.
  while (!(await exists(existing)) && existing !== path.dirname(existing)) existing = path.dirname(existing);
  const file = path.join(existing, name);
  const handle = await open(file, 'wx');
  try {
    await handle.close();
  } finally {
    await rm(file, { force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
