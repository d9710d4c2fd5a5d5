import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { FOLDER, ownPath } from './folder.ts';
import { virtualEnvironment } from './virtual-environment.ts';

/** How long an emulator may take to answer, and then to end, before it is given up. */
const START_MS = 180_000;
const STOP_MS = 10_000;
const LOG_LINES = 30;

export interface Emulator<Address> {
  readonly address: Address;
  readonly log: string;
  /** Ends it; its log goes unless it is kept. */
  stop(keepLog: boolean): Promise<void>;
}

/**
 * Starts a Python script of this folder that prints its address as one line of JSON once it answers, and ends when its
 * stdin closes. So it ends with this process whatever happens; it has a home of its own, and is in no one's way.
 */
export function startEmulator<Address>(name: string, script: string, ...args: string[]): Promise<Emulator<Address>> {
  return startServer(import.meta.dirname, name, script, args);
}

/** The same of a script in another folder, which has its `NAME-requirements.txt` too. */
export async function startServer<Address>(
  folder: string,
  name: string,
  script: string,
  args: readonly string[],
): Promise<Emulator<Address>> {
  const python = await virtualEnvironment(name, folder);
  const log = path.join(FOLDER, 'logs', `${name}-${process.pid}.log`);
  await mkdir(path.dirname(log), { recursive: true });
  const home = await ownPath(`${name}-home`);
  await mkdir(home);
  const file = await open(log, 'w');
  const child = spawn(python, [path.join(folder, script), ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', file.fd],
    // A group of its own: an interrupt from the keyboard is for the tests, which still need it to clean up.
    detached: true,
  });
  await file.close();
  const stop = async (keepLog: boolean) => {
    await end(child);
    await rm(home, { recursive: true, force: true });
    if (!keepLog) await rm(log, { force: true });
  };
  try {
    return { address: JSON.parse(await firstLine(child)) as Address, log, stop };
  } catch (error) {
    await end(child);
    const tail = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-LOG_LINES).join('\n');
    await stop(true);
    throw new Error(`it did not start, see ${path.relative('', log)}\n${tail}`, { cause: error });
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no answer in ${START_MS / 1000} s`)), START_MS);
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`it ended with ${code ?? signal}`)));
    child.once('close', () => clearTimeout(late));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(late);
      resolve(line);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const group = -child.pid;
  const late = setTimeout(() => process.kill(group, 'SIGKILL'), STOP_MS);
  child.stdin?.end();
  await ended;
  clearTimeout(late);
}
