import { ScoreBatchError } from '../errors.ts';

/** How long things are waited for, milliseconds. */
export interface Timeouts {
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
  /** A job or statement that the warehouse says still runs; the warehouse was told to end it before. */
  readonly job: number;
  /** A read in which nothing arrives for this long is begun anew. */
  readonly silence: number;
}

/** A little more than what BigQuery allows a query and Snowflake is told to: six hours. */
const MAX_JOB_MS = 6.25 * 3_600_000;

/**
 * Everything goes with the time that one request may take, 60 s by default. Google asks for a first pause of a second,
 * doubling: https://cloud.google.com/bigquery/sla
 */
export function timeoutsOf(request: number): Timeouts {
  const share = request / 60_000;
  return {
    attempts: 6,
    pause: 1000 * share,
    maxPause: 32_000 * share,
    poll: Math.min(2000, 2000 * share),
    request,
    upload: 10 * request,
    job: MAX_JOB_MS,
    silence: request,
  };
}

export const DEFAULT_TIMEOUTS: Timeouts = timeoutsOf(60_000);

/** The one place that reads SCORE_BATCH_REQUEST_SECONDS. @throws ScoreBatchError `usage` where it is no such number */
export function readTimeouts({ SCORE_BATCH_REQUEST_SECONDS: text }: NodeJS.ProcessEnv): Timeouts {
  if (!text) return DEFAULT_TIMEOUTS;
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= 3600) return timeoutsOf(seconds * 1000);
  throw new ScoreBatchError('usage', `SCORE_BATCH_REQUEST_SECONDS=${text} is no time that a request may take`, {
    hint: 'write seconds, from 0.1 to 3600; 60 is the default',
  });
}

/**
 * The pause after the given number of failures, with jitter: those who failed together shall not come back together.
 *
 * @param requested what the server asked for (Retry-After), as far as a request itself may take
 */
export function backoff({ pause, maxPause, request }: Timeouts, failures: number, requested = 0): number {
  const full = Math.min(maxPause, pause * 2 ** (failures - 1));
  return Math.max(full / 2 + Math.random() * (full / 2), Math.min(requested, request));
}

/** Milliseconds of a Retry-After header, which holds seconds or a date; 0 where there is none. */
export function retryAfter(header: unknown): number {
  if (typeof header !== 'string' || header === '') return 0;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Math.max(0, ms) || 0;
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

/** Time to write down what ended a run: less than the 30 s after which schedulers kill what they have told to end. */
const GRACE_PERIOD_MS = 15_000;

/**
 * For what must be written down though the command is ending: aborted as the given signal is, for the same reason, and some
 * time later.
 */
export function abortAfterGracePeriod(signal: AbortSignal): AbortSignal {
  const later = new AbortController();
  const abort = () => void setTimeout(() => later.abort(signal.reason), GRACE_PERIOD_MS).unref();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return later.signal;
}
