import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Connection } from './connection.ts';
import { digest } from './names.ts';

/** A folder of this machine for what a run writes before it is loaded. */
export async function workFolder(connection: Connection, runId: string): Promise<string> {
  const folder = folderOf(connection, runId);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A folder of this machine that is there for as long as the work takes. */
export async function withFolder<T>(connection: Connection, work: (folder: string) => Promise<T>): Promise<T> {
  const name = randomBytes(8).toString('hex');
  const folder = await workFolder(connection, name);
  try {
    return await work(folder);
  } finally {
    await removeWorkFolder(connection, name);
  }
}

export async function removeWorkFolder(connection: Connection, runId: string): Promise<void> {
  await rm(folderOf(connection, runId), { recursive: true, force: true });
}

function folderOf({ scratch, job }: Connection, runId: string): string {
  return path.join(tmpdir(), `score-batch-${digest(scratch.project, scratch.dataset, job, runId)}`);
}
