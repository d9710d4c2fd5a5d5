import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../../errors.ts';
import type { Snowflake } from './snowflake.ts';

/** Makes the folder of this machine in which the run's chunk workers write. */
export async function makeWorkFolder(snowflake: Snowflake, runId: string): Promise<string> {
  const folder = folderOf(snowflake, runId);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ScoreBatchError('unavailable', `the folder ${folder} cannot be made (${systemCode(cause)})`, {
      hint: 'set TMPDIR to a folder with room that this user may write',
      cause,
    });
  }
  return folder;
}

export async function removeWorkFolder(snowflake: Snowflake, runId: string): Promise<void> {
  await rm(folderOf(snowflake, runId), { recursive: true, force: true });
}

function folderOf({ target, scratch }: Snowflake, runId: string): string {
  const hash = createHash('sha256').update(JSON.stringify([target.account, ...scratch, runId]));
  return path.join(os.tmpdir(), `score-batch-${hash.digest('hex').slice(0, 16)}`);
}
