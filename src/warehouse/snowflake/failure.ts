import { ScoreBatchError } from '../../errors.ts';
import { ForeignAnswer } from '../foreign-answer.ts';
import { retryAfter } from '../timeouts.ts';

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
  /** Whether it was something else than Snowflake that answered. */
  readonly foreign: boolean;
  /** Milliseconds after which Snowflake wants to be asked again; 0 where it does not say. */
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
  readonly cause?: { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown };
}

/** @returns an error of this program as it is, though the driver has wrapped it */
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

const UNEXPLAINED = "an answer says neither what it has nor why it has nothing, so it is not Snowflake's protocol";

/** The error and what caused it: the driver, its HTTP client and what follows redirects each wrap what they meet. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let each = error; each instanceof Error && causes.length < MAX_CAUSES; each = each.cause) causes.push(each);
  return causes;
}

const MAX_CAUSES = 6;

/** Where the driver reads an answer that is cut or of another shape it fails with what JavaScript says, which may quote it. */
function foreignIn(causes: readonly unknown[]): string | undefined {
  const found = causes.find((each) => each instanceof ForeignAnswer);
  if (found !== undefined) return found.message;
  const isUnread = causes.some(
    (each) => each instanceof SyntaxError || each instanceof TypeError || each instanceof RangeError,
  );
  return isUnread ? "an answer is cut or of another shape, so it is not Snowflake's protocol" : undefined;
}

/** Whether the connection is of no use any more. */
export function isBroken(error: unknown): boolean {
  return error instanceof Failure && error.broken;
}

/** A failure of the transport that was found on this side. */
export function silence(what: string): Failure {
  return new Failure(what, { code: '000000', broken: true });
}
