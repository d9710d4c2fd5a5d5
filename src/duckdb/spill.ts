import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';

// Each instance spills to its own folder. If its process is killed, a later run must find and remove the folder, but never that
// of a running process. A process ID proves nothing: containers that share a disk reuse the same IDs. But an instance locks its
// database file while it is open, and the system releases the lock when the process ends in any way. So the folder's name has
// the inode of that file. A path would not do, because a file may be replaced while a process still reads the old one.

const PREFIX = 'spill-';
const LOCKED = /-of-(\d+)-[0-9a-f]{8}(\.json)?$/;

/** The folder to which an instance spills. @param inode of its locked database file; undefined if there is none */
export function spillFolder(parent: string, inode: bigint | undefined): string {
  const random = randomBytes(4).toString('hex');
  return path.join(parent, inode === undefined ? `${PREFIX}${random}` : `${PREFIX}of-${inode}-${random}`);
}

export function isSpill(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** The inode of the database file whose lock protects this name; undefined if the name has none. */
export function inodeOfLockFile(name: string): bigint | undefined {
  const [, inode] = LOCKED.exec(name) ?? [];
  return inode === undefined ? undefined : BigInt(inode);
}

/** The inode of a file; undefined if it does not exist. */
export async function inodeOf(file: string): Promise<bigint | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found?.ino;
}
