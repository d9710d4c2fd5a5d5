import { createHash } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../errors.ts';

/**
 * Makes the folder of this machine in which a run's chunk workers write what is loaded elsewhere. Processes of one run share it.
 *
 * @param parts what tells it from the folders of other warehouses and runs
 */
export async function makeWorkFolder(...parts: readonly string[]): Promise<string> {
  const folder = folderOf(parts);
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
export async function removeWorkFolder(...parts: readonly string[]): Promise<void> {
  await rm(folderOf(parts), { recursive: true, force: true });
}

function folderOf(parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts));
  return path.join(os.tmpdir(), `score-batch-${hash.digest('hex').slice(0, 16)}`);
}
