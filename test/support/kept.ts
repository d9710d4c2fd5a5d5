import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

// What several tests of a file need, and none of them changes.

const folders: string[] = [];

// Of the file that imports this one.
afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** An empty folder that goes when all tests of the file have ended. */
export async function keptFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-kept-'));
  folders.push(folder);
  return folder;
}

/** Makes something when it is first asked for, and gives the same from then on. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
