import type { Worker } from 'node:worker_threads';
import { Interrupted } from './errors.ts';

/**
 * Time from the first signal, or the deadline, until the process ends by force. Kubernetes kills it after 30 s; the rest is for
 * a last message.
 */
const GRACE_MS = 28_000;

/** Time for connections to close; less after a signal. */
const CLOSE_MS = 5000;
const CLOSE_SOON_MS = 2000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ends a command from outside, and then the process. */
export interface Ending {
  readonly signal: AbortSignal;
  /** Interrupts the command `ms` after the start of the process. @param text as typed, for the message */
  deadline(text: string, ms: number): void;
  /**
   * For a command that only ends by a signal: SIGHUP calls `reload` instead, and after another signal the end may take
   * `graceMs`.
   */
  serving(how: { reload(): void; readonly graceMs: number }): void;
  /** Waits for the command. @throws Interrupted if it does not end within the grace period */
  soon<T>(command: Promise<T>): Promise<T>;
  /** Closes what is open, and ends the process even if a dead connection or a pending login would keep it alive. */
  exit(code: number, closing: readonly (() => Promise<void>)[]): Promise<void>;
}

/** Handles signals from now on. */
export function prepareEnding(): Ending {
  const interruption = new AbortController();
  let grace = GRACE_MS;
  let reload: (() => void) | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (signal === 'SIGHUP' && reload !== undefined) {
        reload();
        return;
      }
      // A second signal kills at once: durable state does not need a clean end.
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
    serving(how) {
      reload = how.reload;
      grace = how.graceMs;
    },
    soon(command) {
      const late = new Promise<never>((_, reject) => {
        const give = () => {
          hanging = true;
          reject(signal.reason);
        };
        signal.addEventListener('abort', () => void setTimeout(give, grace), { once: true });
      });
      return Promise.race([command, late]);
    },
    async exit(code, closing) {
      const closed = Promise.allSettled(closing.map((close) => close()));
      if (!hanging)
        await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, signal.aborted ? CLOSE_SOON_MS : CLOSE_MS))]);
      for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
      // process.exit would wait for a hanging system call, and abort if a thread is inside the model.
      if (hanging || workers > 0) die(signal.reason);
      process.exit(code);
    },
  };
}

/** Ends the process as the signal would without a handler. */
function die(reason: unknown): void {
  const by = reason instanceof Interrupted ? reason.by : 'SIGKILL';
  const signal = SIGNALS.find((name) => name === by) ?? 'SIGKILL';
  if (signal !== 'SIGKILL') process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
