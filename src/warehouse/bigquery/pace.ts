/** How long things are waited for, milliseconds. */
export interface Pace {
  /** Sendings of one request, and runs of one job that failed through no fault of its own, before it is given up. */
  readonly attempts: number;
  /** Pause after a first failure; it doubles with each that follows, up to `maxPause`, and half of it is random. */
  readonly pause: number;
  readonly maxPause: number;
  /** Longest pause between two looks at a job that runs. */
  readonly poll: number;
  /** A request without an answer for this long is as good as failed. */
  readonly request: number;
  /** An upload of a file, which has one answer. */
  readonly upload: number;
  /** A read in which nothing arrives for this long is begun anew. */
  readonly silence: number;
}

/** Google asks for a first pause of a second, doubling: https://cloud.google.com/bigquery/sla */
export const PACE: Pace = {
  attempts: 6,
  pause: 1000,
  maxPause: 32_000,
  poll: 2000,
  request: 60_000,
  upload: 600_000,
  silence: 60_000,
};

/** The pause after the given number of failures, with jitter: those who failed together shall not come back together. */
export function backoff({ pause, maxPause }: Pace, failures: number): number {
  const full = Math.min(maxPause, pause * 2 ** (failures - 1));
  return full / 2 + Math.random() * (full / 2);
}

/** @throws the signal's reason once it is aborted */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** @throws SilenceError where the promise does not settle in time; the signal's reason where it is aborted */
export async function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(ms, AbortSignal.any([signal, ended.signal])).then(() => {
        throw new SilenceError(ms);
      }),
    ]);
  } finally {
    ended.abort();
  }
}

/** Nothing was heard for too long. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
  constructor(ms: number) {
    super(`no answer for ${ms / 1000} s`);
  }
}
