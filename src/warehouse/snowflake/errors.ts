import { ScoreBatchError } from '../../errors.ts';
import { withoutValues } from '../../without-values.ts';
import {
  CHECK_NETWORK,
  type ErrorRule,
  errorByKind,
  errorByRule,
  RESUME,
  rejectedQuery,
  shortened,
  tryQueryIn,
} from '../errors.ts';
import { kindOf } from './codes.ts';
import { Failure } from './failure.ts';
import type { Target } from './target.ts';

/** A failure and the account that it came from. */
interface AccountFailure {
  readonly failure: Failure;
  readonly target: Target;
}

/** @param pattern of the code of Snowflake or of the driver */
const code =
  (pattern: RegExp) =>
  ({ failure }: AccountFailure) =>
    pattern.test(failure.code);

/** Rules by code. They also hold for statements with the job's query, except `NOT_FOUND`. */
const BY_CODE: readonly ErrorRule<AccountFailure>[] = [
  {
    matches: code(/^390144$/),
    kind: 'permission',
    message: '{warehouse} does not accept the key',
    hint: 'register its public key: alter user NAME set rsa_public_key = …; and check SNOWFLAKE_USER',
  },
  {
    matches: code(/^3901(00|01|06)$/),
    kind: 'permission',
    message: '{warehouse} does not accept the user name or its secret',
    hint: 'check SNOWFLAKE_USER and its key, token or password',
  },
  {
    matches: code(/^390(303|318)$/),
    kind: 'permission',
    message: '{warehouse} does not accept the OAuth token',
    hint: 'put a new token into SNOWFLAKE_TOKEN or SNOWFLAKE_TOKEN_FILE_PATH; the file is read at every login',
  },
  {
    matches: code(/^390189$/),
    kind: 'configuration',
    message: '{warehouse} does not grant the role to this user',
    hint: ({ target: { role = 'the role' } }) => `check role=${role} in the URL, or: grant role ${role} to user NAME`,
  },
  {
    matches: code(/^390201$/),
    kind: 'configuration',
    message: '{warehouse} cannot find the database, schema or warehouse in the URL',
    hint: ({ target: { database, schema, warehouse } }) =>
      `check ${[database, schema, warehouse].join(', ')} and the grants of the role`,
  },
  {
    matches: code(/^39\d{4}$/),
    kind: 'permission',
    message: '{warehouse} refuses the login',
    hint: 'run the same command again for a new login; if that fails, check the credentials',
  },
  {
    matches: code(/^000606$/),
    kind: 'configuration',
    message: '{warehouse} has no warehouse to run this',
    hint: ({ target: { warehouse = 'W', role = 'R' } }) =>
      `name one in the URL (?warehouse=${warehouse}), and: grant usage on warehouse ${warehouse} to role ${role}`,
  },
  {
    matches: code(/^003001$/),
    kind: 'permission',
    message: '{warehouse} does not allow the role to do this',
    hint: ({ failure, target }) => missingGrant(target, failure.message),
  },
  {
    matches: code(/^(000625|000628|100096)$/),
    kind: 'conflict',
    message: '{warehouse} has the table locked by another transaction',
    hint: 'check `show locks`, then run the same command again',
  },
  {
    // A null in a NOT NULL column; an existing key in a hybrid table.
    matches: code(/^(100072|200001)$/),
    kind: 'configuration',
    message: '{warehouse} refuses the new rows: they violate a constraint of a published table',
    hint: 'drop the constraint or use another table; then run the same command again: it resumes from the staged chunks',
  },
  {
    matches: code(/^(000603|090073|000604|000630|000707)$/),
    kind: 'unavailable',
    message: '{warehouse} ended the statement',
    hint: 'the statement failed internally, exceeded its time limit, was cancelled, or used up a resource monitor; check the query history, then run the same command again',
  },
];

const NOT_FOUND: ErrorRule<AccountFailure> = {
  matches: code(/^(002003|002043)$/),
  kind: 'configuration',
  message: '{warehouse} has no such object, or the role is not allowed to see it',
  hint: ({ target: { database, role = 'R' } }) =>
    `check the name; the role needs usage on database ${database}, usage on the schema, and select on the table: grant … to role ${role}`,
};

const TRANSPORT: readonly ErrorRule<AccountFailure>[] = [
  {
    matches: ({ failure }) => failure.foreign,
    kind: 'unavailable',
    message: 'something other than {warehouse} answered a request',
    hint: CHECK_NETWORK,
  },
  {
    matches: ({ failure: { login, status } }) => login && (status === 403 || status === 404),
    kind: 'configuration',
    message: 'there is no {warehouse}',
    hint: 'check the account in the URL (ORGANISATION-ACCOUNT), and whether this network is allowed to reach it',
  },
  {
    matches: ({ failure }) => failure.broken,
    kind: 'unavailable',
    message: '{warehouse} cannot be reached',
    hint: `check the account in the URL and the network, then ${RESUME}`,
  },
];

/** What Snowflake's errors mean to the user. The first match wins. */
const RULES = [...BY_CODE, NOT_FOUND, ...TRANSPORT];

/**
 * @param doing what was being done, for the message
 * @returns the error to throw; an error that Snowflake had no part in is returned unchanged and shown as a bug, with its
 * stack
 */
export function snowflakeError(error: unknown, target: Target, doing?: string): unknown {
  if (!(error instanceof Failure)) return error;
  const origin = { warehouse: `Snowflake account ${target.account}`, details: [detailLine(error)], cause: error };
  return (
    errorByRule(RULES, { failure: error, target }, origin) ?? errorByKind(kindOf(error.code, error.sqlState), origin, doing)
  );
}

/**
 * For statements that contain the job's query.
 *
 * @param name the query's file, or its key in the job file
 */
export function queryError(error: unknown, name: string, target: Target): unknown {
  const own = snowflakeError(error, target);
  if (!(error instanceof Failure) || !(own instanceof ScoreBatchError)) return own;
  const seen = { failure: error, target };
  if (error.broken || own.kind !== 'configuration' || BY_CODE.some(({ matches }) => matches(seen))) return own;
  const hint = NOT_FOUND.matches(seen) && own.hint !== undefined ? own.hint : tryQueryIn('a worksheet');
  return rejectedQuery(name, { warehouse: 'Snowflake', details: [detailLine(error)], cause: error }, hint);
}

/** Whether a table or schema was not found, or the role is not allowed to see it: Snowflake does not distinguish. */
export function isMissing(error: unknown): boolean {
  return error instanceof Failure && error.code === '002003';
}

/** Whether another transaction blocked this one, so that a retry can succeed. */
export function isContention(error: unknown): boolean {
  return (
    error instanceof Failure &&
    !error.broken &&
    /\b(dead)?lock|\bconflict|\btransaction\b.*\b(aborted|rolled back)\b/i.test(error.message)
  );
}

function detailLine(error: Failure): string {
  const { message, code } = error;
  return `${shortened(mayQuoteRows(error) ? withoutValues(message) : message)} (${code})`;
}

/**
 * Whether a message can quote row values. Codes below 004000 are about compilation and access, 09 and 39 about sessions and
 * logins; others come from running a statement: https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions
 */
function mayQuoteRows({ code }: Failure): boolean {
  return !/^(00[0-3]|09|39)/.test(code);
}

const PRIVILEGES: Readonly<Record<string, string>> = {
  schema: 'usage, create table, create stage',
  database: 'usage, create schema',
  warehouse: 'usage',
  table: 'select, insert, update, delete',
  view: 'select',
  stage: 'read, write',
};

/** `Insufficient privileges to operate on schema 'SCRATCH'` → a grant to paste. */
function missingGrant({ role = 'R' }: Target, message: string): string {
  const [, type = 'schema', name = '…'] = /operate on (\w+) '([^']+)'/.exec(message) ?? [];
  return `grant ${PRIVILEGES[type.toLowerCase()] ?? 'usage'} on ${type.toLowerCase()} ${name} to role ${role}`;
}
