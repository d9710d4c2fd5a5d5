import { type ErrorKind, Interrupted, ScoreBatchError } from '../../errors.ts';
import { withoutValues } from '../../without-values.ts';
import { ForeignAnswer } from '../foreign-answer.ts';
import { SilenceError } from '../timeouts.ts';
import type { Connection } from './connection.ts';
import {
  CredentialsFailed,
  type Failure,
  failureOf,
  isConcurrentUpdate,
  isNetwork,
  isTransient,
  JobFailed,
  TransportFailed,
} from './failure.ts';
import { grantFor } from './grants.ts';
import { kindOf } from './reasons.ts';

interface KnownError {
  readonly is: (failure: Failure, error: unknown) => boolean;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: string | ((failure: Failure) => string);
}

const says = (pattern: RegExp) => (failure: Failure) => pattern.test(failure.message);
const reason =
  (...names: readonly string[]) =>
  ({ reasons }: Failure) =>
    reasons.some((name) => names.includes(name));

/** What BigQuery's reasons mean for the person on call. The first that matches counts. */
const ERRORS: readonly KnownError[] = [
  {
    is: says(/Could not load the default credentials|Unable to detect a Project Id/),
    kind: 'permission',
    what: 'there are no Google credentials for BigQuery',
    hint: 'run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account',
  },
  {
    is: (_, error) => error instanceof ForeignAnswer,
    kind: 'unavailable',
    what: 'something else answers in the place of BigQuery',
    hint: 'a proxy or a captive portal may be in the way: look at the network, then start the same command again',
  },
  {
    is: ({ code, message, reasons }) =>
      code === 401 ||
      reasons.includes('authError') ||
      /invalid_grant|invalid_client|unauthorized_client|invalid_rapt|invalid_request/.test(message),
    kind: 'permission',
    what: 'Google refuses the credentials for BigQuery',
    hint: 'they may have expired or been revoked: run `gcloud auth application-default login`, or make a new key of the service account',
  },
  {
    is: says(/impersonate|iam\.serviceAccounts\.getAccessToken/i),
    kind: 'permission',
    what: 'the service account may not be impersonated with these credentials',
    hint: 'grant roles/iam.serviceAccountTokenCreator on it to whoever runs score-batch',
  },
  {
    is: reason('bytesBilledLimitExceeded'),
    kind: 'refused',
    what: 'the query would read more than source.max_bytes allows',
    hint: 'filter on the partition column, or raise source.max_bytes',
  },
  {
    is: says(/\brequired (field|column)\b.*\bnull\b|\bnot null constraint\b|\bnon-nullable\b|\bviolates\b.*\bconstraint\b/i),
    kind: 'configuration',
    what: 'a published table refuses the new rows: one of its columns is REQUIRED',
    hint: 'relax the column (ALTER TABLE … ALTER COLUMN … DROP NOT NULL), or name another table; the same command then goes on with what is staged',
  },
  {
    is: says(/has not been used in project|(is|been) (not enabled|disabled)|billing (has|is|account)/i),
    kind: 'configuration',
    what: 'the project cannot run BigQuery jobs',
    hint: 'enable billing and the BigQuery APIs (bigquery and bigquerystorage) for it',
  },
  {
    is: reason('accessDenied'),
    kind: 'permission',
    what: 'BigQuery denies access',
    hint: ({ message }) => grantFor(message),
  },
  {
    is: (_, error) => isConcurrentUpdate(error) && !isNetwork(error),
    kind: 'conflict',
    what: 'others kept writing to the same tables',
    hint: 'look at `score-batch status`; start the same command again',
  },
  {
    is: says(/\b(invalid|unsupported|unknown)\b.*\b(location|region)\b/i),
    kind: 'configuration',
    what: 'BigQuery knows no such location',
    hint: 'write ?location= as the dataset has it: EU, US, or a region such as europe-west1',
  },
  {
    is: reason('notFound'),
    kind: 'configuration',
    what: 'BigQuery finds no such thing',
    hint: 'check the name; data of another region needs ?location= in the URL, and source and scratch must be in one region',
  },
  {
    is: reason('quotaExceeded', 'rateLimitExceeded', 'jobRateLimitExceeded', 'userRateLimitExceeded'),
    kind: 'unavailable',
    what: 'a quota of BigQuery is used up',
    hint: 'start the same command again later: it goes on from the chunks that are staged',
  },
  {
    is: (_, error) => isNetwork(error) || error instanceof SilenceError || error instanceof TransportFailed,
    kind: 'unavailable',
    what: 'BigQuery cannot be reached',
    hint: 'look at the network and start the same command again: it goes on from the chunks that are staged',
  },
  {
    is: (_, error) => error instanceof CredentialsFailed && !isTransient(error) && !isRedirect(error),
    kind: 'permission',
    what: 'the Google credentials cannot be used',
    hint: 'check the file of GOOGLE_APPLICATION_CREDENTIALS and what it names, or run `gcloud auth application-default login`',
  },
  {
    is: (_, error) => error instanceof CredentialsFailed && isRedirect(error),
    kind: 'unavailable',
    what: 'where Google gives tokens, something sends the request to another address',
    hint: 'no key is sent there; a proxy or a captive portal may be in the way: look at the network',
  },
  {
    is: (failure, error) => isTransient(error) || reason('stopped', 'timeout', 'resourcesExceeded')(failure),
    kind: 'unavailable',
    what: 'BigQuery could not finish',
    hint: 'start the same command again: it goes on from the chunks that are staged',
  },
];

/** What is said of an answer that is in no rule above, by its kind. */
const OTHERWISE: Readonly<Partial<Record<ErrorKind, readonly [what: string, hint: string]>>> = {
  permission: [
    'BigQuery denies access',
    'check what these credentials may do; docs/bigquery.md lists the roles that a run needs',
  ],
  refused: ['BigQuery refuses what the query would cost', 'filter on the partition column, or raise the limit'],
  conflict: ['BigQuery finds that somebody else was first', 'look at `score-batch status`; start the same command again'],
  configuration: [
    'BigQuery rejects a statement',
    'a table or column may have been dropped or altered meanwhile: compare the tables with the job, then start the same command again',
  ],
  unavailable: ['BigQuery could not finish', 'start the same command again: it goes on from the chunks that are staged'],
};

/**
 * @param doing what was being done, as people call it; said where a statement of ours is rejected
 * @returns the error to throw; one that no server gave is returned as it is, to be shown as a bug with its stack
 */
export function bigqueryError(error: unknown, doing?: string): unknown {
  if (error instanceof ScoreBatchError || error instanceof Interrupted) return error;
  const failure = failureOf(error);
  const details = [detailLine(failure, error)];
  const known = ERRORS.find(({ is }) => is(failure, error));
  if (known !== undefined) {
    const hint = typeof known.hint === 'string' ? known.hint : known.hint(failure);
    return new ScoreBatchError(known.kind, known.what, { details, hint, cause: error });
  }
  if (!isAnswer(failure, error)) return error;
  const kind = kindOf(failure.reasons, failure.code);
  const [what, hint] = OTHERWISE[kind] ?? ['BigQuery refuses', 'start the same command again'];
  return new ScoreBatchError(kind, doing === undefined ? what : `${what} while ${doing}`, {
    details: [`${details[0]} (${[...failure.reasons, failure.code ?? []].flat().join(', ') || 'no reason given'})`],
    hint,
    cause: error,
  });
}

/** Whether it was the server that said so. */
function isAnswer({ code, reasons }: Failure, error: unknown): boolean {
  return error instanceof JobFailed || typeof code === 'number' || reasons.length > 0;
}

function isRedirect({ code }: CredentialsFailed): boolean {
  return typeof code === 'number' && code >= 300 && code < 400;
}

/** For statements that hold the job's query, whose mistakes are its author's. */
export function queryError(error: unknown, name: string): unknown {
  const failure = failureOf(error);
  const isAuthors = reason(
    'invalidQuery',
    'invalid',
    'notFound',
    'duplicate',
    'resourcesExceeded',
    'responseTooLarge',
  )(failure);
  if (error instanceof ScoreBatchError || !isAuthors) return bigqueryError(error);
  const elsewhere = /\blocations?\b/i.test(failure.message);
  return new ScoreBatchError('configuration', `BigQuery refuses ${name}`, {
    details: [detailLine(failure, error)],
    hint: elsewhere
      ? 'check the names; source and scratch must be in the region that ?location= in the URL says'
      : 'try the query in the BigQuery console, with values in place of :window_start and its kin',
    cause: error,
  });
}

/**
 * Does something, and says in the terms of score-batch what went wrong. An abort goes through with its own reason.
 *
 * @param doing what it is, as people call it: `publishing the scores`
 */
export async function translated<T>(
  { signal }: Pick<Connection, 'signal'>,
  work: () => Promise<T>,
  doing?: string,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw bigqueryError(error, doing);
  }
}

/** The same for each step of what is read bit by bit. What whoever reads it throws is none of its business. */
export async function* translatedEach<T>(
  connection: Pick<Connection, 'signal'>,
  parts: AsyncGenerator<T>,
  doing: string,
): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await translated(connection, () => parts.next(), doing);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await parts.return(undefined);
  }
}

function detailLine({ message }: Failure, error: unknown): string {
  const lines = (mayQuoteRows(error) ? redact(message) : message).split('\n').filter((line) => line.trim() !== '');
  const job = error instanceof JobFailed ? ` (job ${error.jobId})` : '';
  return `${lines.slice(0, 4).join('\n')}${job}`;
}

/** What is wrong with a statement itself, as far as it is not found before: https://cloud.google.com/bigquery/docs/error-messages */
const OF_STATEMENT = /^(Query error: )?(Syntax error|Unrecognized name|Function not found|No matching signature)\b/;

/** A statement that fails while it runs may quote what it met. */
function mayQuoteRows(error: unknown): error is JobFailed {
  return error instanceof JobFailed && /^invalid/.test(error.reason) && !OF_STATEMENT.test(error.message);
}

/** `Bad int64 value: jo@example.com at [3:5]` → `Bad int64 value at [3:5]`: values stand behind a colon, without quotes. */
function redact(message: string): string {
  const [place = ''] = / at \[\d+:\d+\]/.exec(message) ?? [];
  const [head = ''] = message.replace(/^Query error: /, '').split(/: | at \[/, 1);
  return `${withoutValues(head)}${place}`;
}
