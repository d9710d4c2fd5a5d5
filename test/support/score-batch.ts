import { type ChildProcess, spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { jsonForm } from './json-form.ts';
import { repository } from './project.ts';

export interface Outcome {
  /** Exit code; null where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Outcome>;
}

const NOW = '1997-03-17T08:00:00-05:00';

/**
 * Starts the built command line in a folder, as users do: a process, with its exit code and its streams.
 *
 * @param within a command that is given the command to run, such as `unshare`
 */
export function startScoreBatch(
  folder: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  within: readonly string[] = [],
): Running {
  const [command = '', ...before] = [...within, process.execPath];
  const child = spawn(command, [...before, repository('dist', 'cli.js'), ...args], {
    cwd: folder,
    env: { ...process.env, ...changes(environment) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, ended };
}

/** Runs the command line to its end in a process of its own. */
export function scoreBatchProcess(
  folder: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  return startScoreBatch(folder, args, environment).ended;
}

let calling: string | undefined;

/**
 * Runs the built command line to its end in this process, which is several times as fast as one of its own: for tests of what a command
 * does. Those of the process itself (signals, streams, memory, two at a time, what is loaded first) start one.
 */
export async function scoreBatch(
  folder: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const call = args.join(' ');
  if (calling !== undefined) throw new Error(`"${calling}" is not over: what runs beside it needs a process (startScoreBatch)`);
  if (environment.NODE_OPTIONS !== undefined) throw new Error('Node reads NODE_OPTIONS when it starts: use startScoreBatch');
  calling = call;
  const main: typeof import('../../src/main.ts') = await import(repository('dist', 'cli-main.js'));
  const leave = enter(folder, changes(environment));
  const [stdout, stderr] = [collected(), collected()];
  const closing: (() => Promise<void>)[] = [];
  try {
    const code = await main.callCommandLine({
      argv: args,
      stdout: stdout.stream,
      stderr: stderr.stream,
      subject: {},
      began: performance.now(),
      ending: {
        signal: new AbortController().signal,
        deadline() {
          throw new Error('a deadline ends a process: use startScoreBatch');
        },
        serving() {
          throw new Error('a signal ends a server: use startScoreBatch');
        },
        soon: (command) => command,
      },
      atEnd: (work) => void closing.push(work),
    });
    await Promise.all(closing.map((close) => close()));
    // Whatever a test makes a command print has the form of its schema.
    if (args.includes('--json') && stdout.text().startsWith('{"schema"')) jsonForm(stdout.text());
    return { code, signal: null, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    leave();
    calling = undefined;
  }
}

/** Variables to set, or to unset where they are undefined. The machine's own settings must not reach into a test. */
function changes(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.keys(process.env).filter((name) => /^(SCORE_BATCH_|(WAREHOUSE_URL|FORCE_COLOR|NO_COLOR)$)/.test(name));
  return { ...Object.fromEntries(own.map((name) => [name, undefined])), SCORE_BATCH_NOW: NOW, ...environment };
}

/** Takes this process to a folder and an environment. @returns what takes it back */
function enter(folder: string, environment: NodeJS.ProcessEnv): () => void {
  const from = process.cwd();
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  process.chdir(folder);
  setVariables(Object.entries(environment));
  return () => {
    process.chdir(from);
    setVariables(before);
  };
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
