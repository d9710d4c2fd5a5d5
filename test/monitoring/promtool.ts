import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { repository } from '../support/project.ts';

const call = promisify(execFile);

/** Debian's package; only promtool is taken from it, so that no server is installed or started. */
const PACKAGE = 'prometheus';
const FOLDER = repository('.tools', 'promtool');

let found: Promise<string> | undefined;

/** Runs promtool. @returns what it printed; rejects with that if it refuses */
export async function promtool(args: readonly string[], stdin = ''): Promise<string> {
  found ??= findPromtool();
  const running = call(await found, args);
  running.child.stdin?.end(stdin);
  const { stdout, stderr } = await running;
  return `${stdout}${stderr}`;
}

/** The one of the machine, otherwise that of the package, which is downloaded the first time. */
async function findPromtool(): Promise<string> {
  const installed = (process.env.PATH ?? '').split(':').find((folder) => existsSync(path.join(folder, 'promtool')));
  if (installed !== undefined) return path.join(installed, 'promtool');
  const binary = path.join(FOLDER, 'usr/bin/promtool');
  if (existsSync(binary)) return binary;
  await mkdir(repository('.tools'), { recursive: true });
  const folder = await mkdtemp(`${FOLDER}.`);
  const download = () => call('apt-get', ['download', PACKAGE], { cwd: folder });
  await download().catch(async () => {
    await call('apt-get', ['update', '-qq']);
    await download();
  });
  const [file = ''] = await readdir(folder);
  await call('dpkg-deb', ['-x', file, '.'], { cwd: folder });
  // Another worker may have been faster.
  await rename(folder, FOLDER).catch(() => rm(folder, { recursive: true }));
  return binary;
}
