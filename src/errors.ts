/** What went wrong, in the terms that decide what a scheduler should do about it. */
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
  /** What the reader can do about it, one sentence without a full stop. */
  readonly hint?: string;
  /** Further lines: every problem of a job file, every reason of a quarantine. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/**
 * The one error that users are meant to see: one sentence of what happened and to what, and a hint. Its kind fixes the exit
 * code. Anything else that is thrown is a bug of score-batch and is shown with its stack.
 */
export class ScoreBatchError extends Error {
  override readonly name = 'ScoreBatchError';
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly details: readonly string[];

  constructor(kind: ErrorKind, message: string, { hint, details, cause }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.hint = hint;
    this.details = details ?? [];
  }
}

/** A run that a signal or the deadline of `--timeout` ended: nothing is wrong, the next run resumes. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** A signal, or `--timeout` with its value. */
  readonly by: NodeJS.Signals | `--timeout ${string}`;

  constructor(by: Interrupted['by']) {
    super(`ended by ${by}`);
    this.by = by;
  }
}

/** The system's own code of an error (`ENOSPC`, `EACCES`, …), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Node, DuckDB and the clients of warehouses open files anywhere, modules of ours among them, and say no more than that there were too
 * many. @returns undefined where that is not what an error says
 */
export function tooManyFiles(error: unknown): ScoreBatchError | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ScoreBatchError || !/\bE[MN]FILE\b|too many open files/i.test(message)) return undefined;
  return new ScoreBatchError('unavailable', 'this process may not open as many files as it needs', {
    details: [message.split('\n', 1)[0] ?? ''],
    hint: 'raise the limit, with `ulimit -n 1024` or LimitNOFILE= of the service, and start the same command again',
    cause: error,
  });
}

/** A file that cannot be read: it is missing, this user may not, or this process has too many open. @param missingHint what to do where it is missing */
export function unreadable(what: string, cause: unknown, missingHint: string): ScoreBatchError {
  const files = tooManyFiles(cause);
  if (files) return files;
  const code = systemCode(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    return new ScoreBatchError('permission', `${what} may not be read by this user`, {
      hint: 'give the user that runs score-batch the right to read it',
      cause,
    });
  }
  const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`;
  return new ScoreBatchError('configuration', `${what} ${why}`, { hint: missingHint, cause });
}
