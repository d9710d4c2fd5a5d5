import { ForeignAnswer } from '../foreign-answer.ts';
import { SilenceError } from '../timeouts.ts';
import { Refusal } from './answer.ts';

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
  readonly reason: string;
  readonly jobId: string;

  constructor(reason: string, message: string, jobId: string) {
    super(message);
    this.reason = reason;
    this.jobId = jobId;
  }
}

/** No token, for whatever reason. Without what the library hangs on its errors: requests with keys in their bodies. */
export class CredentialsFailed extends Error {
  override readonly name = 'CredentialsFailed';
  /** Status of the token server, or the system's code. */
  readonly code: number | string | undefined;

  constructor(error: unknown) {
    const { message, status, code } = error as { message?: unknown; status?: unknown; code?: unknown };
    // A parser quotes what it could not read.
    super(error instanceof SyntaxError ? 'what was read is not JSON' : String(message ?? error));
    const found = status ?? code;
    this.code = typeof found === 'number' || typeof found === 'string' ? found : undefined;
  }
}

/** The way to BigQuery failed: a name that is not found, a certificate that is not trusted, a connection that breaks. */
export class TransportFailed extends Error {
  override readonly name = 'TransportFailed';
  /** The system's code, where there is one. */
  readonly code: string | undefined;

  constructor(error: unknown) {
    const { message, code } = error as { message?: unknown; code?: unknown };
    super(String(message ?? error));
    this.code = typeof code === 'string' ? code : undefined;
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

/** Statuses of gRPC, in which the Storage API answers, as reasons: https://grpc.io/docs/guides/status-codes/ */
const GRPC: Readonly<Record<number, string>> = {
  1: 'stopped',
  2: 'backendError',
  3: 'invalid',
  4: 'backendError',
  5: 'notFound',
  6: 'duplicate',
  7: 'accessDenied',
  8: 'rateLimitExceeded',
  9: 'invalid',
  10: 'backendError',
  11: 'invalid',
  12: 'notImplemented',
  13: 'internalError',
  14: 'backendError',
  15: 'internalError',
  16: 'authError',
};

export function failureOf(error: unknown): Failure {
  if (error instanceof JobFailed) return { code: undefined, reasons: [error.reason], message: error.message };
  if (!(error instanceof Error)) return { code: undefined, reasons: [], message: String(error) };
  const { code, errors, retryAfter } = error as Error & { code?: unknown; errors?: unknown; retryAfter?: unknown };
  const grpc = typeof code === 'number' ? GRPC[code] : undefined;
  const listed: { reason?: unknown; message?: unknown }[] = Array.isArray(errors) ? errors.filter((each) => each !== null) : [];
  const reasons = Array.isArray(errors)
    ? listed.flatMap(({ reason }) => (typeof reason === 'string' && reason !== '' ? reason : []))
    : grpc === undefined
      ? []
      : [grpc];
  const first = listed[0]?.message;
  return {
    code: typeof code === 'number' || typeof code === 'string' ? code : undefined,
    reasons,
    message: typeof first === 'string' && first !== '' ? first : error.message,
    ...(typeof retryAfter === 'number' && retryAfter > 0 && { retryAfter }),
  };
}

/** Whether the same may succeed a moment later. Says nothing about whether it may be sent again: it may have been done. */
export function isTransient(error: unknown): boolean {
  if (error instanceof SilenceError || error instanceof ForeignAnswer) return true;
  const { code, reasons } = failureOf(error);
  if (reasons.some((reason) => TRANSIENT_REASONS.has(reason))) return true;
  return (typeof code === 'number' && TRANSIENT_STATUS.has(code)) || isNetwork(error);
}

/** Whether the way to BigQuery failed, not BigQuery, and may be open a moment later. */
export function isNetwork(error: unknown): boolean {
  const { code, message } = failureOf(error);
  if (error instanceof Refusal) return false;
  return (typeof code === 'string' && NETWORK.test(code)) || NETWORK_MESSAGE.test(message);
}

/** A transaction that lost against another one and changed nothing. */
export function isConcurrentUpdate(error: unknown): boolean {
  return error instanceof JobFailed && /aborted due to concurrent update|could not serialize access/i.test(error.message);
}

export function isStatus(error: unknown, status: number): boolean {
  return failureOf(error).code === status;
}
