#!/usr/bin/env node
import { mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';

// All else is loaded by main.ts, once Node has been told where to keep what it compiles.
keepCompiled();
const { callCommandLine, ownCall } = await import('./main.ts');
const { call, exit } = ownCall();
await exit(await callCommandLine(call));

/** Lets Node 22.8 and newer keep compiled code between runs, in threads too. Where that cannot be written a start goes without, and says nothing. */
function keepCompiled(): void {
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
  if (enableCompileCache === undefined || process.env.NODE_COMPILE_CACHE) return;
  try {
    const folder = ownFolder();
    enableCompileCache(folder);
    process.env.NODE_COMPILE_CACHE = folder;
  } catch {
    // A read-only disk, a user without a home: as in containers.
  }
}

/**
 * Whoever can write there can run code as this user, so it is no folder that users share. It is made here, since Node waits for ever for one
 * that cannot be made on some file systems.
 */
function ownFolder(): string {
  const { XDG_CACHE_HOME: given = '' } = process.env;
  const caches = path.isAbsolute(given) ? given : path.join(homedir(), '.cache');
  const folder = path.join(caches, 'score-batch');
  if (!path.isAbsolute(folder)) throw new Error('there is no home');
  for (const one of [caches, folder]) {
    if (statSync(one, { throwIfNoEntry: false }) === undefined) mkdirSync(one, { mode: 0o700 });
  }
  if (statSync(folder).uid !== process.getuid?.()) throw new Error(`${folder} is somebody else's`);
  return folder;
}
