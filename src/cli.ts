#!/usr/bin/env node
import { mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';

// main.ts loads everything else, once Node knows where to cache compiled code.
enableCache();
const { callCommandLine, ownCall } = await import('./main.ts');
const { call, exit } = ownCall();
await exit(await callCommandLine(call));

/**
 * Lets Node 22.8 and newer cache compiled code between runs, also in threads. Without a writable folder there is silently no
 * cache.
 */
function enableCache(): void {
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
  if (enableCompileCache === undefined || process.env.NODE_COMPILE_CACHE) return;
  try {
    const folder = ownFolder();
    enableCompileCache(folder);
    process.env.NODE_COMPILE_CACHE = folder;
  } catch {
    // A read-only disk, or a user without a home folder, as in containers.
  }
}

/**
 * The cache folder. It belongs to this user alone: anyone who can write to it can run code as this user. It is created here
 * because Node waits forever, on some file systems, for a folder that it cannot create.
 */
function ownFolder(): string {
  const { XDG_CACHE_HOME: given = '' } = process.env;
  const caches = path.isAbsolute(given) ? given : path.join(homedir(), '.cache');
  const folder = path.join(caches, 'score-batch');
  if (!path.isAbsolute(folder)) throw new Error('there is no home folder');
  for (const one of [caches, folder]) {
    if (statSync(one, { throwIfNoEntry: false }) === undefined) mkdirSync(one, { mode: 0o700 });
  }
  if (statSync(folder).uid !== process.getuid?.()) throw new Error(`${folder} belongs to another user`);
  return folder;
}
