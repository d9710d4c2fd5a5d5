import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Outcome } from '../support/score-batch.ts';
import type { ImageConfig } from './buildah.ts';

const run = promisify(execFile);

/** A container's file system, and how its image starts it. */
export interface RootFolder {
  /** Where it is mounted on this machine. */
  readonly folder: string;
  readonly config: ImageConfig;
}

export interface ContainerOptions {
  /** After the entry point; without it, the image's own. */
  readonly args?: readonly string[];
  /** Instead of the image's. */
  readonly entrypoint?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folders of this machine by their place in the container, whose user is made their owner. */
  readonly mounts?: Readonly<Record<string, { readonly from: string; readonly readOnly?: boolean }>>;
}

export interface RunningContainer {
  /** Its standard error. */
  readonly stderr: Readable;
  /** Sends a signal to its process 1, as `docker stop` and the kubelet do. */
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Outcome>;
}

/** Without any capability or a way to new ones, as user 1000, whom the image names. */
const LOCKED = ['--reuid=1000', '--regid=1000', '--clear-groups', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];

/**
 * Starts an image as `deploy/kubernetes` would have it: its file system is read-only but for the mounts, its user has no
 * rights beyond files, it sees no other process. Only the network is this machine's.
 */
export async function startContainer(
  { folder, config }: RootFolder,
  { args = config.Cmd ?? [], entrypoint = config.Entrypoint, env = {}, mounts = {} }: ContainerOptions = {},
): Promise<RunningContainer> {
  if (config.User !== '1000:1000') throw new Error(`the image's user is ${config.User}`);
  const binds: string[] = [];
  for (const [place, { from, readOnly = false }] of Object.entries(mounts)) {
    // A runtime creates the places of mounts before it makes the rest read-only.
    const at = path.join(folder, place);
    await mkdir(path.dirname(at), { recursive: true });
    if (!existsSync(at)) await ((await stat(from)).isFile() ? writeFile(at, '') : mkdir(at, { recursive: true }));
    // As `fsGroup` does; what is not of this test stays as it is.
    if (from.startsWith(tmpdir())) await run('chown', ['--recursive', '1000:1000', from]);
    binds.push(readOnly ? '--ro-bind' : '--bind', from, place);
  }
  const variables = {
    ...Object.fromEntries(config.Env.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)])),
    ...env,
  };
  const set = Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : ['--setenv', name, value]));
  const child = spawn(
    'bwrap',
    [
      ...['--ro-bind', folder, '/', '--proc', '/proc', '--dev', '/dev', ...binds],
      ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--as-pid-1', '--die-with-parent', '--info-fd', '3'],
      ...['--clearenv', ...set, '--chdir', config.WorkingDir],
      // bwrap starts it as root, with what it takes to become another.
      ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((name) => ['--cap-add', name]),
      ...['--', 'setpriv', ...LOCKED, '--', ...entrypoint, ...args],
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  const [, out, err, info] = child.stdio;
  const texts = { stdout: '', stderr: '', info: '' };
  const collect = (stream: unknown, key: keyof typeof texts) =>
    (stream as Readable).setEncoding('utf8').on('data', (text: string) => {
      texts[key] += text;
    });
  collect(out, 'stdout');
  collect(err, 'stderr');
  collect(info, 'info');
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout: texts.stdout, stderr: texts.stderr }));
  });
  // Or nothing, if it cannot start.
  while (!texts.info.includes('}') && Array.isArray(await Promise.race([once(info as Readable, 'data'), ended])));
  const { 'child-pid': first } = JSON.parse(texts.info || '{}') as { 'child-pid'?: number };
  return {
    stderr: err as Readable,
    signal(name) {
      if (first === undefined) throw new Error(`the container did not start: ${texts.stderr}`);
      // Once it has ended, its number may be another's.
      if (child.exitCode === null) process.kill(first, name);
    },
    ended,
  };
}

/** Runs an image to its end. */
export async function runContainer(root: RootFolder, options: ContainerOptions = {}): Promise<Outcome> {
  return await (await startContainer(root, options)).ended;
}
