import { SilenceError } from '../pace.ts';

/** What BigQuery, or the way to it, said when something failed. */
export interface Failure {
  /** HTTP status, or gRPC status from the Storage API, or the system's code: `ECONNRESET`. */
  readonly code: number | string | undefined;
  /** Google's reasons, e.g. `accessDenied`; https://cloud.google.com/bigquery/docs/error-messages */
  readonly reasons: readonly string[];
  readonly message: string;
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfter?: number;
}

/** A job that ended in an error. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
  constructor(
    readonly reason: string,
    message: string,
    readonly jobId: string,
  ) {
    super(message);
  }
}

/** Reasons for which Google asks to try again: https://cloud.google.com/bigquery/docs/error-messages */
const TRANSIENT_REASONS: ReadonlySet<string> = new Set([
  'backendError',
  'internalError',
  'jobBackendError',
  'jobInternalError',
  'jobRateLimitExceeded',
  'quotaExceeded',
  'rateLimitExceeded',
  'userRateLimitExceeded',
]);
const TRANSIENT_STATUS: ReadonlySet<number | string | undefined> = new Set([408, 429, 500, 502, 503, 504]);
const NETWORK =
  /^(ECONN(RESET|REFUSED|ABORTED)|ETIMEDOUT|EPIPE|EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|ERR_STREAM_PREMATURE_CLOSE)$/;
const NETWORK_MESSAGE = /socket hang up|premature close|network socket disconnected|other side closed/i;

/** Statuses of gRPC, in which the Storage API answers, as reasons. */
const GRPC: Readonly<Record<number, string>> = {
  2: 'backendError',
  4: 'backendError',
  5: 'notFound',
  7: 'accessDenied',
  8: 'rateLimitExceeded',
  10: 'backendError',
  13: 'internalError',
  14: 'backendError',
  16: 'authError',
};

export function failureOf(error: unknown): Failure {
  if (error instanceof JobFailed) return { code: undefined, reasons: [error.reason], message: error.message };
  if (!(error instanceof Error)) return { code: undefined, reasons: [], message: String(error) };
  const { code, errors, retryAfter } = error as Error & {
    code?: unknown;
    errors?: readonly { reason?: string; message?: string }[];
    retryAfter?: number;
  };
  const grpc = typeof code === 'number' ? GRPC[code] : undefined;
  const reasons = Array.isArray(errors) ? errors.flatMap(({ reason }) => reason ?? []) : grpc === undefined ? [] : [grpc];
  // The client repeats each message under a headline where there are several.
  const message = Array.isArray(errors) && errors[0]?.message ? errors[0].message : error.message;
  return {
    code: typeof code === 'number' || typeof code === 'string' ? code : undefined,
    reasons,
    message,
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

/** Whether the same may succeed a moment later. Says nothing about whether it may be sent again: it may have been done. */
export function isTransient(error: unknown): boolean {
  if (error instanceof SilenceError) return true;
  const { code, reasons } = failureOf(error);
  if (reasons.some((reason) => TRANSIENT_REASONS.has(reason))) return true;
  return (typeof code === 'number' && TRANSIENT_STATUS.has(code)) || isNetwork(error);
}

/** Whether the way to BigQuery failed, not BigQuery. */
export function isNetwork(error: unknown): boolean {
  const { code, message } = failureOf(error);
  return (typeof code === 'string' && NETWORK.test(code)) || NETWORK_MESSAGE.test(message);
}

/** A transaction that lost against another one and changed nothing. */
export function isConcurrentUpdate(error: unknown): boolean {
  return error instanceof JobFailed && /aborted due to concurrent update|could not serialize access/i.test(error.message);
}

export function isStatus(error: unknown, status: number): boolean {
  return failureOf(error).code === status;
}
