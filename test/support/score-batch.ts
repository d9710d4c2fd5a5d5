import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

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

/**
 * Starts the built command line in a folder. Tests run what users run: a process, with its exit code and its streams.
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
  const child = spawn(command, [...before, CLI, ...args], {
    cwd: folder,
    env: { ...withoutOwn(process.env), SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00', ...environment },
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

/** Runs the command line to its end. */
export function scoreBatch(folder: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return startScoreBatch(folder, args, environment).ended;
}

/** The machine's own settings must not reach into a test. */
function withoutOwn(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(SCORE_BATCH_|WAREHOUSE_URL$)/.test(name)));
}
