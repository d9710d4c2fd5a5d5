import { ForeignAnswer } from '../foreign-answer.ts';
import { SilenceError } from '../timeouts.ts';
import { Refusal } from './answer.ts';

/** A failure reported by BigQuery or by the network. */
export interface Failure {
  /** HTTP status, gRPC status (Storage API), or system error code such as `ECONNRESET`. */
  readonly code: number | string | undefined;
  /** Google's reasons, e.g. `accessDenied`; https://cloud.google.com/bigquery/docs/error-messages */
  readonly reasons: readonly string[];
  readonly message: string;
  /** Delay the server asks for before a retry, milliseconds. */
  readonly retryAfter?: number;
}

/** A job failed. */
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

/** Could not get a token. Drops what the library attaches to its errors: requests with keys in their bodies. */
export class CredentialsFailed extends Error {
  override readonly name = 'CredentialsFailed';
  /** HTTP status of the token server, or system error code. */
  readonly code: number | string | undefined;

  constructor(error: unknown) {
    const { message, status, code } = error as { message?: unknown; status?: unknown; code?: unknown };
    // A parser quotes its input.
    super(error instanceof SyntaxError ? 'the answer is not JSON' : String(message ?? error));
    const found = status ?? code;
    this.code = typeof found === 'number' || typeof found === 'string' ? found : undefined;
  }
}

/** The network failed: a host name not found, an untrusted certificate, a broken connection. */
export class TransportFailed extends Error {
  override readonly name = 'TransportFailed';
  /** System error code, if any. */
  readonly code: string | undefined;

  constructor(error: unknown) {
    const { message, code } = error as { message?: unknown; code?: unknown };
    super(String(message ?? error));
    this.code = typeof code === 'string' ? code : undefined;
  }
}

/** Reasons that Google says to retry: https://cloud.google.com/bigquery/docs/error-messages */
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

/** gRPC status codes of the Storage API as reasons: https://grpc.io/docs/guides/status-codes/ */
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

/** Whether the same request may succeed later. Does not mean that it is safe to retry: it may have had its effect. */
export function isTransient(error: unknown): boolean {
  if (error instanceof SilenceError || error instanceof ForeignAnswer) return true;
  const { code, reasons } = failureOf(error);
  if (reasons.some((reason) => TRANSIENT_REASONS.has(reason))) return true;
  return (typeof code === 'number' && TRANSIENT_STATUS.has(code)) || isNetwork(error);
}

/** Whether the network failed, not BigQuery. */
export function isNetwork(error: unknown): boolean {
  const { code, message } = failureOf(error);
  if (error instanceof Refusal) return false;
  return (typeof code === 'string' && NETWORK.test(code)) || NETWORK_MESSAGE.test(message);
}

/** Whether a transaction lost to a concurrent one and changed nothing. */
export function isConcurrentUpdate(error: unknown): boolean {
  return error instanceof JobFailed && /aborted due to concurrent update|could not serialize access/i.test(error.message);
}

export function isStatus(error: unknown, status: number): boolean {
  return failureOf(error).code === status;
}
