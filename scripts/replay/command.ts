import { spawn } from 'node:child_process';
import path from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../root.ts';

/** Result of a score-batch command. */
export interface Ended {
  /** Null if it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Seconds of wall time and of processor time; the latter is unknown for a separate process. */
  readonly wall: number;
  readonly cpu: number | undefined;
}

export interface Place {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs the built command line in this process, which saves starting one. */
export async function callHere({ folder, environment }: Place, args: readonly string[]): Promise<Ended> {
  const main: typeof import('../../src/main.ts') = await import(path.join(ROOT, 'dist', 'cli-main.js'));
  const from = process.cwd();
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  const [stdout, stderr] = [collected(), collected()];
  const closing: (() => Promise<void>)[] = [];
  process.chdir(folder);
  setVariables(Object.entries(environment));
  const [began, used] = [performance.now(), process.cpuUsage()];
  try {
    const code = await main.callCommandLine({
      argv: args,
      stdout: stdout.stream,
      stderr: stderr.stream,
      subject: {},
      began,
      ending: {
        signal: new AbortController().signal,
        deadline() {
          throw new Error('a deadline would end this process');
        },
        serving: () => undefined,
        soon: (command) => command,
      },
      atEnd: (work) => void closing.push(work),
    });
    await Promise.all(closing.map((close) => close()));
    const { user, system } = process.cpuUsage(used);
    const spent = { wall: (performance.now() - began) / 1000, cpu: (user + system) / 1e6 };
    return { code, stdout: stdout.text(), stderr: stderr.text(), ...spent };
  } finally {
    process.chdir(from);
    setVariables(before);
  }
}

/** Runs the built command line in a separate process. @param killAfter milliseconds until SIGKILL */
export async function callApart({ folder, environment }: Place, args: readonly string[], killAfter?: number): Promise<Ended> {
  const began = performance.now();
  const child = spawn(process.execPath, [path.join(ROOT, 'dist', 'cli.js'), ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const late = new AbortController();
  if (killAfter !== undefined)
    sleep(killAfter, undefined, { signal: late.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
  const code = await ended;
  late.abort();
  return { code, stdout, stderr, wall: (performance.now() - began) / 1000, cpu: undefined };
}

function setVariables(variables: readonly (readonly [name: string, value: string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

function collected(): { readonly stream: Writable; text(): string } {
  const parts: Buffer[] = [];
  const stream = new Writable({
    write(part: Buffer, _, done) {
      parts.push(part);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(parts).toString('utf8') };
}
