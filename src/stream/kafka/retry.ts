import { isPassing } from './failure.ts';

const FIRST_MS = 5;
const LONGEST_MS = 500;

export interface RetryOptions {
  /** On the monotonic `performance.now()` clock; after it, the last error is thrown. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
  /** Called before the next attempt, to look for another broker. */
  readonly again?: (error: unknown) => Promise<unknown> | undefined;
}

/** Retries until the attempt succeeds, fails with an error that does not pass, or the deadline is over. */
export async function retry<T>(attempt: () => Promise<T>, { deadline, signal, again }: RetryOptions): Promise<T> {
  for (let pause = FIRST_MS; ; pause = Math.min(pause * 2, LONGEST_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || performance.now() + pause > deadline || signal?.aborted) throw error;
      await sleep(pause * (0.75 + Math.random() / 2), signal);
      await again?.(error)?.catch(() => undefined);
    }
  }
}

/** Ends early, without an error, if the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
