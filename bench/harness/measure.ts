import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenCpu, markOf, type Tree, type TreeResult, watchTree } from './process-tree.ts';

const SAMPLE_MS = 50;
/** Maximum share of one core's time spent on sampling. */
const SAMPLING_SHARE = 0.05;
const LEFT_BEHIND_MS = 5000;
const STDERR_KEPT = 4000;
const ERROR_LINES = 3;

/** What to run: a command with its arguments and folder, and variables added to this process's environment. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What preload.mjs saw inside score-batch. */
interface Traced {
  /** Seconds from the start to the first batch that the model scored. */
  readonly firstBatch?: number;
  readonly workers?: number;
  /** The most frequent batch size. */
  readonly batchRows?: number;
  /** Rows that the model scored, over all workers. */
  readonly modelRows?: number;
  /** Share of the wall time in which the main thread was busy, and its CPU seconds. */
  readonly mainBusy?: number;
  readonly mainCpu?: number;
}

/** Cost of a command with all processes that it started. */
export interface Measures extends Traced {
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
  /** Bytes, measured as `memory` says. */
  readonly peak: number;
  readonly memory: TreeResult['measure'];
  readonly processes: number;
  readonly atPeak: TreeResult['atPeak'];
}

export interface Succeeded extends Measures {
  readonly stdout: string;
  readonly problem?: undefined;
}

/** Has no measures if the command could not be started. */
export interface Failed extends Partial<Measures> {
  readonly stdout?: string;
  readonly problem: string;
}

/**
 * Runs a command to its end and measures it with all processes that it starts.
 *
 * CPU is what the kernel counted for the command and all processes that it waited for, or the sum over the sampled processes if
 * that is more (daemons that nobody waits for; it misses their last 50 ms). Memory is the largest sum over the processes.
 */
export async function measure({ command, args, cwd, environment = {} }: Command): Promise<Succeeded | Failed> {
  // This case must not wait for the previous one's writes.
  execFileSync('sync');
  const id = randomUUID();
  const trace = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-'));
  const tree = watchTree(id);
  const cpuBefore = childrenCpu();
  const began = Date.now();
  const start = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...environment, ...markOf(id), SCORE_BATCH_BENCH_TRACE: trace },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  // A daemon may keep the pipes open after the command has ended.
  const closed = new Promise((resolve) => child.once('close', resolve));
  const sampling = sampleOften(tree);
  const interrupt = () => endAll(tree.alive()).then(() => process.exit(130));
  process.once('SIGINT', interrupt);
  try {
    const { code, signal, wall } = await new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal, wall: (performance.now() - start) / 1000 }));
    });
    tree.sample();
    await endLeftBehind(tree);
    await closed;
    const { peak, measure: memory, cpu, processes, atPeak } = tree.result();
    const succeeded: Succeeded = {
      wall,
      cpu: Math.max(childrenCpu() - cpuBefore, cpu),
      peak,
      memory,
      processes,
      atPeak,
      stdout,
      ...traced(trace, began, wall),
    };
    return code === 0 ? succeeded : { ...succeeded, problem: `ended with ${signal ?? code}: ${lastError(stderr)}` };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  } finally {
    sampling.stop();
    process.off('SIGINT', interrupt);
    rmSync(trace, { recursive: true, force: true });
  }
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly wall: number;
}

/** The last line that looks like an error, with some of the lines after it. */
function lastError(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const at = lines.findLastIndex((line) => /^\w*error\b/i.test(line));
  return (at < 0 ? lines.slice(-ERROR_LINES) : lines.slice(at, at + ERROR_LINES)).map((line) => line.trim()).join(' / ');
}

/** Every 50 ms, or less often if sampling many large processes takes long. */
function sampleOften(tree: Tree): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const next = (ms: number) => {
    timer = setTimeout(() => {
      // In processor time: on busy cores, a sample that mostly waited must not delay the next one.
      const before = process.cpuUsage();
      tree.sample();
      const { user, system } = process.cpuUsage(before);
      next(Math.max(SAMPLE_MS, (user + system) / 1000 / SAMPLING_SHARE));
    }, ms);
  };
  next(SAMPLE_MS);
  return { stop: () => clearTimeout(timer) };
}

/** Daemons end a while after the command. One that stays would share the cores with the next case. */
async function endLeftBehind(tree: Tree): Promise<void> {
  for (const deadline = Date.now() + LEFT_BEHIND_MS; Date.now() < deadline; await sleep(SAMPLE_MS)) {
    if (tree.alive().length === 0) return;
  }
  await endAll(tree.alive());
}

async function endAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended on its own.
    }
  }
  await sleep(SAMPLE_MS);
}

/** What preload.mjs writes about the main thread, in seconds. */
interface MainThread {
  readonly active: number;
  readonly cpu: number;
}

/** What preload.mjs writes about a worker; `first` is the time of its first batch, in epoch milliseconds. */
interface WorkerThread {
  readonly first: number;
  readonly batchRows: number;
  readonly rows: number;
}

/** @param began epoch milliseconds @param wall seconds */
function traced(folder: string, began: number, wall: number): Traced {
  const written = <T>(prefix: string) =>
    readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as T);
  const [main] = written<MainThread>('main');
  const workers = written<WorkerThread>('worker-');
  return {
    ...(workers.length > 0 && {
      firstBatch: (Math.min(...workers.map(({ first }) => first)) - began) / 1000,
      workers: workers.length,
      batchRows: Math.max(...workers.map(({ batchRows }) => batchRows)),
      modelRows: workers.reduce((sum, { rows }) => sum + rows, 0),
    }),
    ...(main && { mainBusy: main.active / wall, mainCpu: main.cpu }),
  };
}
