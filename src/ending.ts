import type { Worker } from 'node:worker_threads';
import { Interrupted } from './errors.ts';

/**
 * From the first signal, or the deadline, until the process ends whatever still goes on: the 30 s after which Kubernetes kills
 * what it has told to end, less a little to say so.
 */
const GRACE_MS = 28_000;

/** How long connections may take to be let go; less where the end was asked for. */
const CLOSE_MS = 5000;
const CLOSE_SOON_MS = 2000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How a command is ended from outside, and how the process ends after it. */
export interface Ending {
  readonly signal: AbortSignal;
  /** Ends the command that long after the start of the process. */
  deadline(text: string, ms: number): void;
  /** @throws Interrupted where the command does not end soon after it was told to */
  soon<T>(command: Promise<T>): Promise<T>;
  /** Lets go of what is open, and ends the process even where something would keep it: a dead connection, a login under way. */
  exit(code: number, closing: readonly (() => Promise<void>)[]): Promise<void>;
}

/** Listens to signals from now on. */
export function prepareEnding(): Ending {
  const interruption = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A second signal means now: nothing that is durable needs a clean end.
      if (interruption.signal.aborted) process.kill(process.pid, 'SIGKILL');
      interruption.abort(new Interrupted(signal));
    });
  }
  let hanging = false;
  let workers = 0;
  process.on('worker', (worker: Worker) => {
    workers += 1;
    worker.once('exit', () => {
      workers -= 1;
    });
  });
  const { signal } = interruption;
  return {
    signal,
    deadline(text, ms) {
      setTimeout(() => interruption.abort(new Interrupted(`--timeout ${text}`)), ms - performance.now());
    },
    soon(command) {
      const late = new Promise<never>((_, reject) => {
        const give = () => {
          hanging = true;
          reject(signal.reason);
        };
        signal.addEventListener('abort', () => void setTimeout(give, GRACE_MS), { once: true });
      });
      return Promise.race([command, late]);
    },
    async exit(code, closing) {
      const closed = Promise.allSettled(closing.map((close) => close()));
      if (!hanging)
        await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, signal.aborted ? CLOSE_SOON_MS : CLOSE_MS))]);
      for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
      // An exit would wait for a system call that hangs, and of a thread inside the model it would make an abort.
      if (hanging || workers > 0) die(signal.reason);
      process.exit(code);
    },
  };
}

/** Ends the process as the signal would have done, had nobody listened to it. */
function die(reason: unknown): void {
  const by = reason instanceof Interrupted ? reason.by : 'SIGKILL';
  const signal = SIGNALS.find((name) => name === by) ?? 'SIGKILL';
  if (signal !== 'SIGKILL') process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
