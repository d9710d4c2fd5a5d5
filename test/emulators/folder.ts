import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** All that the emulators need on the disk: environments, homes and logs. Git ignores it; it can be deleted at any time. */
export const FOLDER = path.join(import.meta.dirname, '../../.emulators');

/** A path in the folder that only this process uses. It should remove it; after a kill, a later run does. */
export async function ownPath(name: string): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  for (const left of await readdir(FOLDER)) {
    const owner = /\.(\d+)$/.exec(left)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(path.join(FOLDER, left), { recursive: true, force: true });
  }
  return path.join(FOLDER, `${name}.${process.pid}`);
}

function isAlive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
