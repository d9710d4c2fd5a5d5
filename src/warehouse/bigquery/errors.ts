import { Interrupted, ScoreBatchError } from '../../errors.ts';
import { withoutValues } from '../../without-values.ts';
import {
  CHECK_NETWORK,
  CHECK_STATUS,
  type ErrorRule,
  errorByKind,
  errorByRule,
  RESUME,
  rejectedQuery,
  shortened,
  tryQueryIn,
} from '../errors.ts';
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

/** A failure with the error that it was read from. */
interface Failed extends Failure {
  readonly error: unknown;
}

const messageMatches = (pattern: RegExp) => (failure: Failure) => pattern.test(failure.message);
const reason =
  (...names: readonly string[]) =>
  ({ reasons }: Failure) =>
    reasons.some((name) => names.includes(name));

/** What BigQuery's errors mean to the user. The first match wins. */
const RULES: readonly ErrorRule<Failed>[] = [
  {
    matches: messageMatches(/Could not load the default credentials|Unable to detect a Project Id/),
    kind: 'permission',
    message: 'no Google credentials found for BigQuery',
    hint: 'run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account',
  },
  {
    matches: ({ error }) => error instanceof ForeignAnswer,
    kind: 'unavailable',
    message: 'something other than BigQuery answered a request',
    hint: CHECK_NETWORK,
  },
  {
    matches: ({ code, message, reasons }) =>
      code === 401 ||
      reasons.includes('authError') ||
      /invalid_grant|invalid_client|unauthorized_client|invalid_rapt|invalid_request/.test(message),
    kind: 'permission',
    message: 'Google rejects the credentials for BigQuery',
    hint: 'they may have expired or been revoked: run `gcloud auth application-default login`, or create a new key for the service account',
  },
  {
    matches: messageMatches(/impersonate|iam\.serviceAccounts\.getAccessToken/i),
    kind: 'permission',
    message: 'these credentials are not allowed to impersonate the service account',
    hint: 'grant roles/iam.serviceAccountTokenCreator on it to the account that runs score-batch',
  },
  {
    matches: reason('bytesBilledLimitExceeded'),
    kind: 'refused',
    message: 'the query would read more than source.max_bytes allows',
    hint: 'filter on the partition column, or raise source.max_bytes',
  },
  {
    matches: messageMatches(
      /\brequired (field|column)\b.*\bnull\b|\bnot null constraint\b|\bnon-nullable\b|\bviolates\b.*\bconstraint\b/i,
    ),
    kind: 'configuration',
    message: 'a published table rejects the new rows: one of its columns is REQUIRED',
    hint: 'relax the column (ALTER TABLE … ALTER COLUMN … DROP NOT NULL) or use another table; then run the same command again: it resumes from the staged chunks',
  },
  {
    matches: messageMatches(/has not been used in project|(is|been) (not enabled|disabled)|billing (has|is|account)/i),
    kind: 'configuration',
    message: 'the project cannot run BigQuery jobs',
    hint: 'enable billing and the BigQuery APIs (bigquery and bigquerystorage) for the project',
  },
  {
    matches: reason('accessDenied'),
    kind: 'permission',
    message: '{warehouse} denies access',
    hint: ({ message }) => grantFor(message),
  },
  {
    matches: ({ error }) => isConcurrentUpdate(error) && !isNetwork(error),
    kind: 'conflict',
    message: 'other processes kept writing to the same tables',
    hint: CHECK_STATUS,
  },
  {
    matches: messageMatches(/\b(invalid|unsupported|unknown)\b.*\b(location|region)\b/i),
    kind: 'configuration',
    message: 'the BigQuery location is not valid',
    hint: 'set ?location= to the location of the dataset: EU, US, or a region such as europe-west1',
  },
  {
    matches: reason('notFound'),
    kind: 'configuration',
    message: '{warehouse} cannot find a project, dataset or table',
    hint: 'check the name; data in another region needs ?location= in the URL, and source and scratch must be in the same region',
  },
  {
    matches: reason('quotaExceeded', 'rateLimitExceeded', 'jobRateLimitExceeded', 'userRateLimitExceeded'),
    kind: 'unavailable',
    message: 'a BigQuery quota is exceeded',
    hint: 'run the same command again later: it resumes from the staged chunks',
  },
  {
    matches: ({ error }) => isNetwork(error) || error instanceof SilenceError || error instanceof TransportFailed,
    kind: 'unavailable',
    message: '{warehouse} cannot be reached',
    hint: 'check the network and run the same command again: it resumes from the staged chunks',
  },
  {
    matches: ({ error }) => error instanceof CredentialsFailed && !isTransient(error) && !isRedirect(error),
    kind: 'permission',
    message: 'the Google credentials cannot be used',
    hint: 'check the file of GOOGLE_APPLICATION_CREDENTIALS and the accounts it names, or run `gcloud auth application-default login`',
  },
  {
    matches: ({ error }) => error instanceof CredentialsFailed && isRedirect(error),
    kind: 'unavailable',
    message: 'a request for a Google token was redirected to another address',
    hint: 'the redirect was not followed, so no key was sent there; check the network for a proxy or captive portal',
  },
  {
    matches: (failed) => isTransient(failed.error) || reason('stopped', 'timeout', 'resourcesExceeded')(failed),
    kind: 'unavailable',
    message: '{warehouse} could not finish',
    hint: RESUME,
  },
];

/**
 * @param doing what was being done, for the message
 * @returns the error to throw; an error that did not come from a server is returned unchanged and shown as a bug, with its
 * stack
 */
export function bigqueryError(error: unknown, doing?: string): unknown {
  if (error instanceof ScoreBatchError || error instanceof Interrupted) return error;
  const failure = failureOf(error);
  const detail = detailLine(failure, error);
  const known = errorByRule(RULES, { ...failure, error }, { warehouse: 'BigQuery', details: [detail], cause: error });
  if (known !== undefined) return known;
  if (!isAnswer(failure, error)) return error;
  const codes = [...failure.reasons, failure.code ?? []].flat().join(', ') || 'no reason given';
  const kind = kindOf(failure.reasons, failure.code);
  return errorByKind(kind, { warehouse: 'BigQuery', details: [`${detail} (${codes})`], cause: error }, doing);
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
  const hint = /\blocations?\b/i.test(failure.message)
    ? 'check the names; source and scratch must be in the region that ?location= names'
    : tryQueryIn('the BigQuery console');
  return rejectedQuery(name, { warehouse: 'BigQuery', details: [detailLine(failure, error)], cause: error }, hint);
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
  const job = error instanceof JobFailed ? ` (job ${error.jobId})` : '';
  return `${shortened(mayQuoteRows(error) ? redact(message) : message)}${job}`;
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
