/** Kinds of errors, by what a scheduler should do about them. */
export type ErrorKind =
  | 'usage'
  | 'refused'
  | 'unavailable'
  | 'report'
  | 'conflict'
  | 'permission'
  | 'configuration'
  | 'nothing to score';

/** Exit codes follow BSD sysexits where one fits; 99 is Airflow's skip code. */
export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  usage: 64,
  refused: 65,
  unavailable: 69,
  report: 74,
  conflict: 75,
  permission: 77,
  configuration: 78,
  'nothing to score': 99,
};

interface ErrorOptions {
  /** What the user can do about it: one sentence without a full stop. */
  readonly hint?: string;
  /** Further lines, such as every problem of a job file. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
  /** Whether it is due to a model registry that is down. */
  readonly registryDown?: boolean;
}

/**
 * The one error class for users: what happened, to what, and a hint. Its kind determines the exit code. Any other error is a
 * bug in score-batch and is shown with its stack.
 */
export class ScoreBatchError extends Error {
  override readonly name = 'ScoreBatchError';
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly registryDown: boolean;

  constructor(kind: ErrorKind, message: string, { hint, details, cause, registryDown = false }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.hint = hint;
    this.details = details ?? [];
    this.registryDown = registryDown;
  }
}

/** A signal or `--timeout` ended the run. Nothing is wrong: the next run resumes it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** A signal, or `--timeout` with its value. */
  readonly by: NodeJS.Signals | `--timeout ${string}`;

  constructor(by: Interrupted['by']) {
    super(`ended by ${by}`);
    this.by = by;
  }
}

/** The system code of an error (`ENOSPC`, `EACCES`, …); undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Node, DuckDB and the warehouse clients can hit the limit of open files anywhere, even while importing a module. Their own
 * messages do not say what to do.
 *
 * @returns undefined if the error has another cause
 */
export function tooManyFiles(error: unknown): ScoreBatchError | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ScoreBatchError || !/\bE[MN]FILE\b|too many open files/i.test(message)) return undefined;
  return new ScoreBatchError('unavailable', 'this process has reached its limit of open files', {
    details: [message.split('\n', 1)[0] ?? ''],
    hint: 'raise the limit with `ulimit -n 1024`, or LimitNOFILE= in the service, and run the same command again',
    cause: error,
  });
}

/**
 * A package's native library is a separate package, which npm treats as optional: an installation with `--omit=optional`, or
 * one copied from another platform, lacks it, and fails while importing a module.
 *
 * @returns undefined if the error has another cause
 */
export function missingNative(error: unknown): ScoreBatchError | undefined {
  const name = /Cannot find module '(@duckdb\/node-bindings-[\w-]+)/.exec(error instanceof Error ? error.message : '')?.[1];
  if (name === undefined) return undefined;
  return new ScoreBatchError('configuration', `the package ${name}, DuckDB for this platform, is not installed`, {
    hint: 'install score-batch on this platform, without `--omit=optional`',
    cause: error,
  });
}

/**
 * The error for a file that cannot be read: it is missing, this user has no permission, or the process has too many open
 * files.
 *
 * @param missingHint what to do if the file is missing
 */
export function unreadable(what: string, cause: unknown, missingHint: string): ScoreBatchError {
  const files = tooManyFiles(cause);
  if (files) return files;
  const code = systemCode(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    return new ScoreBatchError('permission', `this user cannot read ${what}`, {
      hint: 'give the user that runs score-batch permission to read it',
      cause,
    });
  }
  const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`;
  return new ScoreBatchError('configuration', `${what} ${why}`, { hint: missingHint, cause });
}

/** The same for a file that the command line names: if it is missing, the command line is wrong. */
export function unreadableArgument(what: string, cause: unknown, missingHint: string): ScoreBatchError {
  const error = unreadable(what, cause, missingHint);
  return systemCode(cause) === 'ENOENT' ? new ScoreBatchError('usage', error.message, { hint: missingHint, cause }) : error;
}
