import { ScoreBatchError } from '../errors.ts';

/** Limits of waits and retries; times in milliseconds. */
export interface Timeouts {
  /** Maximum attempts of one request, and of one job that fails with a transient error. */
  readonly attempts: number;
  /** Pause after the first failure. It doubles with each further one, up to `maxPause`; half of it is random. */
  readonly pause: number;
  readonly maxPause: number;
  /** Longest pause between two polls of a running job. */
  readonly poll: number;
  /** A request without an answer for this long has failed. */
  readonly request: number;
  /** The same for the upload of a whole file. */
  readonly upload: number;
  /** A job or statement may run this long. The warehouse has a shorter limit of its own. */
  readonly job: number;
  /** A read that receives nothing for this long is restarted. */
  readonly silence: number;
}

/** A little more than the six hours that BigQuery allows a query and that we set in Snowflake. */
const MAX_JOB_MS = 6.25 * 3_600_000;

/**
 * All times scale with the timeout of a request, 60 s by default. Google's SLA asks for exponential backoff from one second:
 * https://cloud.google.com/bigquery/sla
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

/** The only place that reads SCORE_BATCH_REQUEST_SECONDS. @throws ScoreBatchError `usage` if it is not a number in range */
export function readTimeouts({ SCORE_BATCH_REQUEST_SECONDS: text }: NodeJS.ProcessEnv): Timeouts {
  if (!text) return DEFAULT_TIMEOUTS;
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= 3600) return timeoutsOf(seconds * 1000);
  throw new ScoreBatchError('usage', `SCORE_BATCH_REQUEST_SECONDS=${text} is not a valid request timeout`, {
    hint: 'use seconds from 0.1 to 3600; the default is 60',
  });
}

/**
 * The pause after the given number of failures, with jitter, so that requests that failed together are not retried together.
 *
 * @param requested delay the server asked for (Retry-After), honored up to the request timeout
 */
export function backoff({ pause, maxPause, request }: Timeouts, failures: number, requested = 0): number {
  const full = Math.min(maxPause, pause * 2 ** (failures - 1));
  return Math.max(full / 2 + Math.random() * (full / 2), Math.min(requested, request));
}

/** Milliseconds of a Retry-After header, which holds seconds or a date; 0 if there is none. */
export function retryAfter(header: unknown): number {
  if (typeof header !== 'string' || header === '') return 0;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Math.max(0, ms) || 0;
}

/** @throws the signal's reason when it aborts */
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

/** @throws SilenceError if the promise does not settle in time; the signal's reason if it aborts */
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

/** No answer arrived in time. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
  constructor(ms: number) {
    super(`no answer for ${ms / 1000} s`);
  }
}

/** Time to record how a run ended. Schedulers kill a process 30 s after they asked it to stop. */
const GRACE_PERIOD_MS = 15_000;

/**
 * For records that must be written although the command is ending. Aborts some time after the given signal, with the same
 * reason.
 */
export function abortAfterGracePeriod(signal: AbortSignal): AbortSignal {
  const later = new AbortController();
  const abort = () => void setTimeout(() => later.abort(signal.reason), GRACE_PERIOD_MS).unref();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return later.signal;
}
