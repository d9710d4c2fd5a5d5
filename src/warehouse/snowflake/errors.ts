import { type ErrorKind, ScoreBatchError } from '../../errors.ts';
import { withoutValues } from '../../without-values.ts';
import { kindOf } from './codes.ts';
import { Failure } from './failure.ts';
import type { Target } from './target.ts';

interface KnownError {
  /** Codes of Snowflake or of the driver, whole or their beginnings. */
  readonly codes: RegExp;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: (target: Target, message: string) => string;
}

/** What Snowflake's codes mean for the person on call. The first that matches counts. */
const ERRORS: readonly KnownError[] = [
  {
    codes: /^390144$/,
    kind: 'permission',
    what: 'does not accept the key',
    hint: () => 'register its public key: alter user NAME set rsa_public_key = …; and check SNOWFLAKE_USER',
  },
  {
    codes: /^3901(00|01|06)$/,
    kind: 'permission',
    what: 'does not know this user with this secret',
    hint: () => 'check SNOWFLAKE_USER and its key, token or password',
  },
  {
    codes: /^390(303|318)$/,
    kind: 'permission',
    what: 'does not accept the OAuth token',
    hint: () => 'fetch a new token into SNOWFLAKE_TOKEN or SNOWFLAKE_TOKEN_FILE_PATH; the file is read at every login',
  },
  {
    codes: /^390189$/,
    kind: 'configuration',
    what: 'does not let this user have the role',
    hint: ({ role = 'the role' }) => `check role=${role} in the URL, or: grant role ${role} to user NAME`,
  },
  {
    codes: /^390201$/,
    kind: 'configuration',
    what: 'does not find what the URL names',
    hint: ({ database, schema, warehouse }) => `check ${[database, schema, warehouse].join(', ')} and the grants of the role`,
  },
  {
    codes: /^39\d{4}$/,
    kind: 'permission',
    what: 'refuses the login',
    hint: () => 'start again to log in anew; if that fails, check the credentials',
  },
  {
    codes: /^000606$/,
    kind: 'configuration',
    what: 'has no warehouse to run this',
    hint: ({ warehouse = 'W', role = 'R' }) =>
      `name one in the URL (?warehouse=${warehouse}), and: grant usage on warehouse ${warehouse} to role ${role}`,
  },
  {
    codes: /^003001$/,
    kind: 'permission',
    what: 'does not let the role do this',
    hint: (target, message) => missingGrant(target, message),
  },
  {
    codes: /^(002003|002043)$/,
    kind: 'configuration',
    what: 'has no such object, or the role may not see it',
    hint: ({ database, role = 'R' }) =>
      `check the name; the role needs usage on database ${database}, usage on the schema, and select on the table: grant … to role ${role}`,
  },
  {
    codes: /^(000625|000628|100096)$/,
    kind: 'conflict',
    what: 'has the table locked by another transaction',
    hint: () => 'look at `show locks`, then start again',
  },
  {
    // A null where a column is NOT NULL; a key that is there, in a hybrid table.
    codes: /^(100072|200001)$/,
    kind: 'configuration',
    what: 'refuses the new rows: a published table has a constraint that they break',
    hint: () => 'drop the constraint, or name another table; the same command then goes on with what is staged',
  },
  {
    codes: /^(000603|090073|000604|000630|000707)$/,
    kind: 'unavailable',
    what: 'ended the statement',
    hint: () =>
      'it failed inside, took longer than a statement may, was cancelled, or a resource monitor is used up; start again',
  },
];

/** What is said of a code that is in no rule above, by its kind. */
const OTHERWISE: Readonly<Partial<Record<ErrorKind, readonly [what: string, hint: string]>>> = {
  permission: ['denies access', 'check the grants of the role; docs/snowflake.md lists those that a run needs'],
  conflict: ['finds that somebody else was first', 'look at `score-batch status`; start the same command again'],
  configuration: [
    'rejects a statement',
    'a table or column may have been dropped or altered meanwhile: compare the tables with the job, then start the same command again',
  ],
};
const MAY_PASS = ['could not finish', 'start the same command again: it goes on from the chunks that are staged'] as const;

/**
 * @param doing what was being done, as people call it; said where a statement of ours is rejected
 * @returns the error to throw; one that Snowflake had no part in is returned as it is, to be shown as a bug with its stack
 */
export function snowflakeError(error: unknown, target: Target, doing?: string): unknown {
  if (!(error instanceof Failure)) return error;
  const account = `Snowflake account ${target.account}`;
  const details = [shown(error)];
  const known = ERRORS.find(({ codes }) => codes.test(error.code));
  if (known) {
    const hint = known.hint(target, error.message);
    return new ScoreBatchError(known.kind, `${account} ${known.what}`, { details, hint, cause: error });
  }
  if (error.foreign) {
    return new ScoreBatchError('unavailable', `something else answers in the place of ${account}`, {
      details,
      hint: 'a proxy or a captive portal may be in the way: look at the network, then start the same command again',
      cause: error,
    });
  }
  if (error.login && (error.status === 403 || error.status === 404)) {
    return new ScoreBatchError('configuration', `there is no ${account}`, {
      details,
      hint: 'check the account in the URL (ORGANISATION-ACCOUNT), and whether this network may reach it',
      cause: error,
    });
  }
  if (error.broken) {
    return new ScoreBatchError('unavailable', `${account} cannot be reached`, {
      details,
      hint: 'check account and network, then start the same command again: it goes on from the chunks that are staged',
      cause: error,
    });
  }
  const kind = kindOf(error.code, error.sqlState);
  const [what, hint] = OTHERWISE[kind] ?? MAY_PASS;
  const message = `${account} ${what}${doing === undefined ? '' : ` while ${doing}`}`;
  return new ScoreBatchError(kind, message, { details, hint, cause: error });
}

/**
 * For statements that hold the job's query.
 *
 * @param name the query's file, or the key of the job file that holds it
 */
export function queryError(error: unknown, name: string, target: Target): unknown {
  const own = snowflakeError(error, target);
  if (!(error instanceof Failure) || !(own instanceof ScoreBatchError) || error.broken) return own;
  const isNotFound = /^(002003|002043)$/.test(error.code);
  const isKnown = !isNotFound && ERRORS.some(({ codes }) => codes.test(error.code));
  if (isKnown || own.kind !== 'configuration') return own;
  return new ScoreBatchError('configuration', `Snowflake refuses ${name}`, {
    details: [shown(error)],
    hint:
      isNotFound && own.hint !== undefined
        ? own.hint
        : 'try the query in a worksheet, with values in place of :window_start and its kin',
    cause: error,
  });
}

/** Whether a table or schema was not found; Snowflake says the same of one that the role may not see. */
export function isMissing(error: unknown): boolean {
  return error instanceof Failure && error.code === '002003';
}

/** Whether another transaction was in the way, so that the same transaction may go through when tried again. */
export function isContention(error: unknown): boolean {
  return (
    error instanceof Failure &&
    !error.broken &&
    /\b(dead)?lock|\bconflict|\btransaction\b.*\b(aborted|rolled back)\b/i.test(error.message)
  );
}

function shown(error: Failure): string {
  const { message, code } = error;
  const lines = (mayQuoteRows(error) ? withoutValues(message) : message).split('\n').filter((line) => line.trim() !== '');
  return `${lines.slice(0, 4).join('\n')} (${code})`;
}

/**
 * Snowflake's codes below 004000 are of compilation and access, those of 09 and 39 of sessions and logins. What a statement
 * met in a row has others: https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions
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

/** `Insufficient privileges to operate on schema 'SCRATCH'` → the grant that may be pasted. */
function missingGrant({ role = 'R' }: Target, message: string): string {
  const [, type = 'schema', name = '…'] = /operate on (\w+) '([^']+)'/.exec(message) ?? [];
  return `grant ${PRIVILEGES[type.toLowerCase()] ?? 'usage'} on ${type.toLowerCase()} ${name} to role ${role}`;
}
