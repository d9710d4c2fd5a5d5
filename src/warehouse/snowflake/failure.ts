import { ScoreBatchError } from '../../errors.ts';
import { retryAfter } from '../pace.ts';

/** What the driver or Snowflake says went wrong, without what the driver hangs on it: requests with tokens in their headers. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** Snowflake's six digits, or the driver's. */
  readonly code: string;
  readonly sqlState: string | undefined;
  /** Status of the HTTP answer, where that is what failed. */
  readonly status: number | undefined;
  /** Whether the connection is of no use any more; the statement may have run or not. */
  readonly broken: boolean;
  /** Whether it was a login that failed. */
  readonly login: boolean;
  /** Milliseconds after which Snowflake wants to be asked again; 0 where it does not say. */
  readonly retryAfter: number;

  constructor(
    message: string,
    { code, sqlState, status, broken, login = false, retryAfter = 0 }: Pick<Failure, 'code' | 'broken'> & Partial<Failure>,
  ) {
    super(message);
    this.code = code;
    this.sqlState = sqlState;
    this.status = status;
    this.broken = broken;
    this.login = login;
    this.retryAfter = retryAfter;
  }
}

/** Session and token are gone; a new login may help. */
const EXPIRED = ['390104', '390111', '390112', '390114', '390195'];

/** How the driver calls errors that are no answer of Snowflake to a statement. */
const TRANSPORT = ['NetworkError', 'RequestFailedError', 'UnexpectedContentError', 'LargeResultSetError', 'ClientError'];

interface DriverError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly sqlState?: unknown;
  readonly response?: {
    readonly statusCode?: unknown;
    readonly status?: unknown;
    readonly headers?: Readonly<Record<string, unknown>>;
  };
  readonly cause?: { readonly code?: unknown; readonly message?: unknown } | ScoreBatchError;
}

/** @returns an error of this program as it is, though the driver has wrapped it */
export function toFailure(error: unknown, login = false): Failure | ScoreBatchError {
  if (error instanceof Failure || error instanceof ScoreBatchError) return error;
  const { name, message, code, sqlState, response, cause } = error as DriverError;
  if (cause instanceof ScoreBatchError) return cause;
  const status = Number(response?.statusCode ?? response?.status);
  const reason = [message, cause?.code, Number.isNaN(status) ? undefined : `HTTP ${status}`];
  const shown = String(code ?? '').padStart(6, '0');
  return new Failure(reason.filter((part) => part !== undefined && part !== '').join(' ') || String(name), {
    code: shown,
    broken: TRANSPORT.includes(String(name)) || EXPIRED.includes(shown),
    ...(typeof sqlState === 'string' && { sqlState }),
    ...(!Number.isNaN(status) && { status }),
    login,
    retryAfter: retryAfter(response?.headers?.['retry-after']),
  });
}

/** Whether the connection is of no use any more. */
export function isBroken(error: unknown): boolean {
  return error instanceof Failure && error.broken;
}

/** A failure of the transport that was found on this side. */
export function silence(what: string): Failure {
  return new Failure(what, { code: '000000', broken: true });
}
