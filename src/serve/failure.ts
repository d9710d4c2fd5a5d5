/** Kinds of request failures, by what the sender should do about them. */
export type FailureKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not found'
  | 'too large'
  | 'busy'
  | 'late'
  | 'gone'
  | 'unavailable'
  | 'internal';

/** HTTP status per kind. 499 is what proxies log for a client that has disconnected; nobody receives it. */
export const HTTP_STATUS: Readonly<Record<FailureKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not found': 404,
  'too large': 413,
  busy: 429,
  late: 504,
  gone: 499,
  unavailable: 503,
  internal: 500,
};

interface FailureOptions {
  /** What the sender can do about it: one sentence without a full stop. */
  readonly hint?: string;
  /** Further lines, such as one per rejected row. */
  readonly details?: readonly string[];
  /** Seconds after which the same request may succeed. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/**
 * Why a request failed. The message goes to the sender, so it may contain names and sizes from the request, but no path and
 * nothing from other requests.
 */
export class ServeFailure extends Error {
  override readonly name = 'ServeFailure';
  readonly kind: FailureKind;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly retryAfter: number | undefined;

  constructor(kind: FailureKind, message: string, { hint, details, retryAfter, cause }: FailureOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.hint = hint;
    this.details = details ?? [];
    this.retryAfter = retryAfter;
  }
}
