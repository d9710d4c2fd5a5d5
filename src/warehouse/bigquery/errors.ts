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

const RESUME = 'run the same command again: it resumes from the staged chunks';
const CHECK_STATUS = 'check `score-batch status`, then run the same command again';

const says = (pattern: RegExp) => (failure: Failure) => pattern.test(failure.message);
const reason =
  (...names: readonly string[]) =>
  ({ reasons }: Failure) =>
    reasons.some((name) => names.includes(name));

/** What BigQuery's errors mean to the user. The first match wins. */
const ERRORS: readonly KnownError[] = [
  {
    is: says(/Could not load the default credentials|Unable to detect a Project Id/),
    kind: 'permission',
    what: 'no Google credentials found for BigQuery',
    hint: 'run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account',
  },
  {
    is: (_, error) => error instanceof ForeignAnswer,
    kind: 'unavailable',
    what: 'something other than BigQuery answered a request',
    hint: 'check the network for a proxy or captive portal, then run the same command again',
  },
  {
    is: ({ code, message, reasons }) =>
      code === 401 ||
      reasons.includes('authError') ||
      /invalid_grant|invalid_client|unauthorized_client|invalid_rapt|invalid_request/.test(message),
    kind: 'permission',
    what: 'Google rejects the credentials for BigQuery',
    hint: 'they may have expired or been revoked: run `gcloud auth application-default login`, or create a new key for the service account',
  },
  {
    is: says(/impersonate|iam\.serviceAccounts\.getAccessToken/i),
    kind: 'permission',
    what: 'these credentials are not allowed to impersonate the service account',
    hint: 'grant roles/iam.serviceAccountTokenCreator on it to the account that runs score-batch',
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
    what: 'a published table rejects the new rows: one of its columns is REQUIRED',
    hint: 'relax the column (ALTER TABLE … ALTER COLUMN … DROP NOT NULL) or use another table; then the same command resumes from the staged chunks',
  },
  {
    is: says(/has not been used in project|(is|been) (not enabled|disabled)|billing (has|is|account)/i),
    kind: 'configuration',
    what: 'the project cannot run BigQuery jobs',
    hint: 'enable billing and the BigQuery APIs (bigquery and bigquerystorage) for the project',
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
    what: 'other processes kept writing to the same tables',
    hint: CHECK_STATUS,
  },
  {
    is: says(/\b(invalid|unsupported|unknown)\b.*\b(location|region)\b/i),
    kind: 'configuration',
    what: 'the BigQuery location is not valid',
    hint: 'set ?location= to the location of the dataset: EU, US, or a region such as europe-west1',
  },
  {
    is: reason('notFound'),
    kind: 'configuration',
    what: 'BigQuery cannot find a project, dataset or table',
    hint: 'check the name; data in another region needs ?location= in the URL, and source and scratch must be in the same region',
  },
  {
    is: reason('quotaExceeded', 'rateLimitExceeded', 'jobRateLimitExceeded', 'userRateLimitExceeded'),
    kind: 'unavailable',
    what: 'a BigQuery quota is exceeded',
    hint: 'run the same command again later: it resumes from the staged chunks',
  },
  {
    is: (_, error) => isNetwork(error) || error instanceof SilenceError || error instanceof TransportFailed,
    kind: 'unavailable',
    what: 'BigQuery cannot be reached',
    hint: 'check the network and run the same command again: it resumes from the staged chunks',
  },
  {
    is: (_, error) => error instanceof CredentialsFailed && !isTransient(error) && !isRedirect(error),
    kind: 'permission',
    what: 'the Google credentials cannot be used',
    hint: 'check the file of GOOGLE_APPLICATION_CREDENTIALS and the accounts it names, or run `gcloud auth application-default login`',
  },
  {
    is: (_, error) => error instanceof CredentialsFailed && isRedirect(error),
    kind: 'unavailable',
    what: 'a request for a Google token was redirected to another address',
    hint: 'the redirect was not followed, so no key was sent there; check the network for a proxy or captive portal',
  },
  {
    is: (failure, error) => isTransient(error) || reason('stopped', 'timeout', 'resourcesExceeded')(failure),
    kind: 'unavailable',
    what: 'BigQuery could not finish',
    hint: RESUME,
  },
];

/** Message and hint for an answer that matches no rule above, by its kind. */
const FALLBACKS: Readonly<Partial<Record<ErrorKind, readonly [what: string, hint: string]>>> = {
  permission: [
    'BigQuery denies access',
    'check the permissions of these credentials; the documentation lists the roles that a run needs',
  ],
  refused: ['BigQuery rejects the cost of the query', 'filter on the partition column, or raise the limit'],
  conflict: ['BigQuery reports a conflict with another process', CHECK_STATUS],
  configuration: [
    'BigQuery rejects a statement',
    'a table or column may have been dropped or altered meanwhile: compare the tables with the job, then run the same command again',
  ],
  unavailable: ['BigQuery could not finish', RESUME],
};

/**
 * @param doing what was being done, for the message
 * @returns the error to throw; an error that did not come from a server is returned unchanged and shown as a bug, with its
 * stack
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
  const [what, hint] = FALLBACKS[kind] ?? ['BigQuery refuses the request', 'run the same command again'];
  return new ScoreBatchError(kind, doing === undefined ? what : `${what} while ${doing}`, {
    details: [`${details[0]} (${[...failure.reasons, failure.code ?? []].flat().join(', ') || 'no reason given'})`],
    hint,
    cause: error,
  });
}

/** Whether the error is the server's answer. */
function isAnswer({ code, reasons }: Failure, error: unknown): boolean {
  return error instanceof JobFailed || typeof code === 'number' || reasons.length > 0;
}

function isRedirect({ code }: CredentialsFailed): boolean {
  return typeof code === 'number' && code >= 300 && code < 400;
}

/** For statements that contain the job's query: mistakes in it are the author's to fix. */
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
  return new ScoreBatchError('configuration', `BigQuery rejects ${name}`, {
    details: [detailLine(failure, error)],
    hint: elsewhere
      ? 'check the names; source and scratch must be in the region that ?location= names'
      : 'try the query in the BigQuery console, with values for the window parameters (:window_start and so on)',
    cause: error,
  });
}

/**
 * Runs `work` and translates its errors. An abort throws the signal's reason.
 *
 * @param doing for the message: `publishing the scores`
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

/** The same for each step of a generator. Errors of its consumer are not translated. */
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

/** Errors in the statement itself, which quote no row values: https://cloud.google.com/bigquery/docs/error-messages */
const STATEMENT_ERROR = /^(Query error: )?(Syntax error|Unrecognized name|Function not found|No matching signature)\b/;

/** A statement that fails at run time can quote row values. */
function mayQuoteRows(error: unknown): error is JobFailed {
  return error instanceof JobFailed && /^invalid/.test(error.reason) && !STATEMENT_ERROR.test(error.message);
}

/** `Bad int64 value: jo@example.com at [3:5]` → `Bad int64 value at [3:5]`: values follow a colon, without quotes. */
function redact(message: string): string {
  const [place = ''] = / at \[\d+:\d+\]/.exec(message) ?? [];
  const [head = ''] = message.replace(/^Query error: /, '').split(/: | at \[/, 1);
  return `${withoutValues(head)}${place}`;
}
