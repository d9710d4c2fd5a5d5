import { type ErrorKind, ScoreBatchError } from '../errors.ts';

// What failures of warehouses mean to the user. Each warehouse has a table of rules and classifies the failures that no rule
// matches.

export const RESUME = 'run the same command again: it resumes from the staged chunks';
export const CHECK_STATUS = 'check `score-batch status`, then run the same command again';
export const CHECK_NETWORK = 'check the network for a proxy or captive portal, then run the same command again';

/** Recognizes a failure and says what it means. In a table of rules the first match wins. */
export interface ErrorRule<F> {
  readonly matches: (failure: F) => boolean;
  readonly kind: ErrorKind;
  /** One sentence; `{warehouse}` stands for the warehouse's name. */
  readonly message: string;
  readonly hint: string | ((failure: F) => string);
}

/** Where a failure comes from. */
interface Origin {
  /** The warehouse's display name. */
  readonly warehouse: string;
  readonly details: readonly string[];
  readonly cause: unknown;
}

/** The error of the first rule that matches; undefined if none does. */
export function errorByRule<F>(
  rules: readonly ErrorRule<F>[],
  failure: F,
  { warehouse, details, cause }: Origin,
): ScoreBatchError | undefined {
  const rule = rules.find(({ matches }) => matches(failure));
  if (rule === undefined) return undefined;
  const hint = typeof rule.hint === 'string' ? rule.hint : rule.hint(failure);
  return new ScoreBatchError(rule.kind, rule.message.replace('{warehouse}', warehouse), { details, hint, cause });
}

const BY_KIND: Readonly<Partial<Record<ErrorKind, readonly [what: string, hint: string]>>> = {
  permission: [
    'denies access',
    'check the permissions of the credentials; docs/bigquery.md and docs/snowflake.md list those that a run needs',
  ],
  refused: ['rejects the cost of the query', 'filter on the partition column, or raise the limit'],
  conflict: ['reports a conflict with another process', CHECK_STATUS],
  configuration: [
    'rejects a statement',
    'a table or column may have been dropped or altered; compare the tables with the job, then run the same command again',
  ],
};

/**
 * The error for an answer that no rule matches.
 *
 * @param doing what was being done, for the message: `publishing the scores`
 */
export function errorByKind(
  kind: ErrorKind,
  { warehouse, details, cause }: Origin,
  doing: string | undefined,
): ScoreBatchError {
  const [what, hint] = BY_KIND[kind] ?? ['could not finish', RESUME];
  const message = `${warehouse} ${what}${doing === undefined ? '' : ` while ${doing}`}`;
  return new ScoreBatchError(kind, message, { details, hint, cause });
}

/** The job's query does not run; its author must fix it. @param name the query's file, or its key in the job file */
export function rejectedQuery(name: string, { warehouse, details, cause }: Origin, hint: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${warehouse} rejects ${name}`, { details, hint, cause });
}

const TRY = 'try the query in';

/** A hint for `rejectedQuery`. @param where the warehouse's own tool for queries */
export function tryQueryIn(where: string): string {
  return `${TRY} ${where}, with values for the window parameters (:window_start and so on)`;
}

export function isTryQuery(hint: string): boolean {
  return hint.startsWith(TRY);
}

/** A readiness query returned something other than one row with one boolean or null. @param name as for `rejectedQuery` */
export function notOneBoolean(name: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${name} does not return one boolean`, {
    hint: 'write a query like: select max(date) >= :window_end_date from orders',
  });
}

/** First lines of a message, for `details`: some servers add a listing of the statement. */
export function shortened(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(0, 4).join('\n');
}
