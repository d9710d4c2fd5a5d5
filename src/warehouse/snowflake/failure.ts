import { ScoreBatchError } from '../../errors.ts';
import { ForeignAnswer } from '../foreign-answer.ts';
import { retryAfter } from '../timeouts.ts';

/** An error of the driver or Snowflake, without what the driver attaches to it: requests with tokens in their headers. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** Six-digit code of Snowflake or the driver. */
  readonly code: string;
  readonly sqlState: string | undefined;
  /** HTTP status, if the request failed. */
  readonly status: number | undefined;
  /** Whether the connection is unusable; the statement may or may not have run. */
  readonly broken: boolean;
  /** Whether a login failed. */
  readonly login: boolean;
  /** Whether something other than Snowflake answered. */
  readonly foreign: boolean;
  /** Delay Snowflake asks for before a retry, milliseconds; 0 if none. */
  readonly retryAfter: number;

  constructor(
    message: string,
    {
      code,
      sqlState,
      status,
      broken,
      login = false,
      foreign = false,
      retryAfter = 0,
    }: Pick<Failure, 'code' | 'broken'> & Partial<Failure>,
  ) {
    super(message);
    this.code = code;
    this.sqlState = sqlState;
    this.status = status;
    this.broken = broken;
    this.login = login;
    this.foreign = foreign;
    this.retryAfter = retryAfter;
  }
}

/** The session or token has expired; a new login can help. */
const EXPIRED = ['390104', '390111', '390112', '390114', '390195'];

/** Names of driver errors that are not Snowflake's answer to a statement. */
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
  readonly cause?: { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown };
}

/** @returns a ScoreBatchError unwrapped, if the driver wrapped one */
export function toFailure(error: unknown, login = false): Failure | ScoreBatchError {
  if (error instanceof Failure || error instanceof ScoreBatchError) return error;
  const { name, message, code, sqlState, response, cause } = error as DriverError;
  const causes = causesOf(error);
  const own = causes.find((each) => each instanceof ScoreBatchError);
  if (own !== undefined) return own;
  const foreign = foreignIn(causes) ?? (name === 'OperationFailedError' && !code ? UNEXPLAINED : undefined);
  if (foreign !== undefined) return new Failure(foreign, { code: '000000', broken: true, login, foreign: true });
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

const UNEXPLAINED = 'an answer has neither a result nor an error, so it did not come from Snowflake';

/** The error and its causes: the driver, its HTTP client and follow-redirects each wrap errors. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let each = error; each instanceof Error && causes.length < MAX_CAUSES; each = each.cause) causes.push(each);
  return causes;
}

const MAX_CAUSES = 6;

/** The driver fails with JavaScript errors on a truncated or malformed answer; their messages can quote the answer. */
function foreignIn(causes: readonly unknown[]): string | undefined {
  const found = causes.find((each) => each instanceof ForeignAnswer);
  if (found !== undefined) return found.message;
  const isMalformed = causes.some(
    (each) => each instanceof SyntaxError || each instanceof TypeError || each instanceof RangeError,
  );
  return isMalformed ? 'an answer is truncated or malformed, so it did not come from Snowflake' : undefined;
}

/** Whether the connection is unusable. */
export function isBroken(error: unknown): boolean {
  return error instanceof Failure && error.broken;
}

/** A transport failure detected on this side. */
export function silence(what: string): Failure {
  return new Failure(what, { code: '000000', broken: true });
}
