import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';

// Each instance spills into a folder of its own. Its process may be killed, so the folder must be found later, and nobody may
// take the folder of a process that lives. A process's number proves nothing: containers that share a disk have the same ones.
// But an instance has its database file locked for as long as it is open, and the system releases the lock when the process
// ends, however it ends. So the folder's name says which file that is, by its inode: a file may be replaced under its path
// while a process still reads the old one.

const PREFIX = 'spill-';
const LOCKED = /-of-(\d+)-[0-9a-f]{8}(\.json)?$/;

/** Where an instance spills. @param inode of the file that it has locked, undefined where there is none */
export function spillFolder(parent: string, inode: bigint | undefined): string {
  const random = randomBytes(4).toString('hex');
  return path.join(parent, inode === undefined ? `${PREFIX}${random}` : `${PREFIX}of-${inode}-${random}`);
}

export function isSpill(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Inode of the file that whoever made this has locked for as long as it needs it, as far as the name tells. */
export function inodeOfLockFile(name: string): bigint | undefined {
  const [, inode] = LOCKED.exec(name) ?? [];
  return inode === undefined ? undefined : BigInt(inode);
}

/** Undefined where there is no such file. */
export async function inodeOf(file: string): Promise<bigint | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found?.ino;
}
