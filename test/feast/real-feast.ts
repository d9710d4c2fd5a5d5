import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { virtualEnvironment } from '../emulators/virtual-environment.ts';

/** A repo of `repository.py`, and the feature server over it. */
export interface RealFeast {
  readonly folder: string;
  /** When the online store was filled: rows of `data/latest.parquet` are as of then. */
  readonly now: Date;
  /** With the command `feast` on the path. */
  readonly environment: NodeJS.ProcessEnv;
  readonly url: string;
  kill(): Promise<void>;
  remove(): Promise<void>;
}

/** Without statistics that go to the makers of Feast. */
const QUIET = { FEAST_USAGE: 'False' };

/** @param rows to score in `data/entities.parquet`, with what Feast retrieves for them in `data/retrieved.parquet` */
export async function startFeast(rows: number): Promise<RealFeast> {
  const python = await virtualEnvironment('feast', import.meta.dirname);
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-feast-'));
  const script = path.join(import.meta.dirname, 'repository.py');
  const options = { env: { ...process.env, ...QUIET }, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)(python, [script, folder, String(rows)], options);
  const command = path.join(folder, 'feast');
  // The environment was renamed once it was whole, and commands of Python know their interpreter by its path.
  await writeFile(command, `#!/bin/sh\nexec '${python}' -c 'from feast.cli.cli import cli; cli()' "$@"\n`);
  await chmod(command, 0o755);
  const environment = { ...QUIET, PATH: `${folder}${path.delimiter}${process.env.PATH ?? ''}` };
  const port = await freePort();
  const server = spawn(command, ['serve', '--host', '127.0.0.1', '--port', String(port)], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: 'ignore',
    // It has processes of its own, which end with it.
    detached: true,
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await isUp(url))) {
    if (server.exitCode !== null) throw new Error('feast serve has ended');
    await sleep(200);
  }
  const kill = () => ended(server);
  return {
    folder,
    now: new Date(stdout.trimEnd().split('\n').at(-1) ?? ''),
    environment,
    url,
    kill,
    async remove() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const exit = new Promise((resolve) => server.once('exit', resolve));
  process.kill(-server.pid, 'SIGKILL');
  await exit;
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
