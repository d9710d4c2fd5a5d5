import { type ErrorKind, Interrupted, ScoreBatchError, tooManyFiles } from '../errors.ts';
import { bugWithoutValues, withoutValues } from '../without-values.ts';

interface KnownError {
  readonly pattern: RegExp;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: string;
}

/** Only published tables can have constraints. A unique index is checked at commit. */
const BROKEN_CONSTRAINT = /^Constraint Error|constraint violation/;

/** What DuckDB's messages mean for the user; they have no codes. The first match counts. */
const ERRORS: readonly KnownError[] = [
  {
    pattern: /Could not set lock on file|Conflicting lock/,
    kind: 'conflict',
    what: 'is in use by another process',
    hint: 'only one process at a time can write the file: wait for the other run of score-batch, or close the DuckDB shell, then run the same command again',
  },
  {
    pattern: /No space left on device|ENOSPC/,
    kind: 'unavailable',
    what: 'has no space left on its disk',
    hint: 'free some space and run the same command again: it resumes from the staged chunks',
  },
  {
    pattern: /Permission denied|Read-only file system/i,
    kind: 'permission',
    what: 'cannot be read or written by this user',
    hint: 'grant the user that runs score-batch access to the file and its folder',
  },
  {
    pattern: /database does not exist|Cannot open database/,
    kind: 'configuration',
    what: 'cannot be opened',
    hint: 'check the path in source.warehouse; score-batch never creates a source database',
  },
  {
    pattern: /ENOTDIR|Not a directory/,
    kind: 'configuration',
    what: 'cannot be created: part of its path is a file',
    hint: 'check the path of the warehouse in the job file',
  },
  {
    pattern:
      /No files found that match|ENOENT|too small to be a Parquet file|No magic bytes found|Cannot open file .*No such file/,
    kind: 'conflict',
    what: 'has lost files of this run',
    hint: 'another process removed or damaged them; start over with --fresh',
  },
  {
    pattern: /newer version of DuckDB|storage version|Trying to read a database file with version number|Serialization Error/i,
    kind: 'configuration',
    what: 'was written by a newer DuckDB, in a format that this version cannot read',
    hint: "copy it with the newer DuckDB to a format that this version can read: ATTACH 'other.duckdb' (STORAGE_VERSION 'v1.5.0'); COPY FROM DATABASE …",
  },
  {
    pattern: /Corrupt database file/,
    kind: 'configuration',
    what: 'is damaged',
    hint: 'restore it from a backup; score-batch can publish its tables again from the source',
  },
  {
    pattern: /not a valid DuckDB database file/i,
    kind: 'configuration',
    what: 'is not a DuckDB database',
    hint: 'check the path of the warehouse in the job file',
  },
  {
    pattern: BROKEN_CONSTRAINT,
    kind: 'configuration',
    what: 'has a published table with a constraint that the new rows violate',
    hint: 'drop the unique index, NOT NULL or CHECK, or use another table; then run the same command again: it resumes from the staged chunks',
  },
  {
    pattern: /Out of Memory Error|failed to allocate|failed to pin block/,
    kind: 'configuration',
    what: 'needs more memory than DuckDB is allowed',
    hint: 'run the same command again with a higher --max-memory: it resumes from the staged chunks',
  },
];

/** Errors about a statement, a file or the machine, which never quote rows. Any other error may. */
const WITHOUT_ROWS =
  /^(Parser|Syntax|Binder|Catalog|Dependency|Not implemented|IO|HTTP|Permission|Out of Memory|TransactionContext|Serialization|INTERNAL|INTERRUPT) Error: /;

function mayQuoteRows(message: string): boolean {
  return /^[A-Z][A-Za-z ]* Error: /.test(message) && (!WITHOUT_ROWS.test(message) || BROKEN_CONSTRAINT.test(message));
}

/**
 * @param subject what the statement worked on, such as the path of the file
 * @returns the error to throw; unknown errors are returned unchanged and shown as a bug, with their stack
 */
export function duckdbError(error: unknown, subject: string): unknown {
  if (error instanceof ScoreBatchError || error instanceof Interrupted) return error;
  const files = tooManyFiles(error);
  if (files) return files;
  const message = error instanceof Error ? error.message : String(error);
  const known = ERRORS.find(({ pattern }) => pattern.test(message));
  if (!known) return error instanceof Error && mayQuoteRows(message) ? bugWithoutValues(error) : error;
  return new ScoreBatchError(known.kind, `${subject} ${known.what}`, {
    details: [firstLines(message)],
    hint: known.hint,
    cause: error,
  });
}

/** For casts of features: a 38-digit integer may not fit in the 64 bits of a model input. */
export function featureError(error: unknown, subject: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ScoreBatchError || !/Conversion Error/.test(message)) return duckdbError(error, subject);
  return new ScoreBatchError('configuration', `${subject} has a value that does not fit its model input`, {
    details: [firstLines(message)],
    hint: 'cast or limit the feature in the query, or change its dtype in the bundle',
    cause: error,
  });
}

/** The first lines of DuckDB's message, without row values. */
export function firstLines(message: string): string {
  return (mayQuoteRows(message) ? withoutValues(message) : message)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 4)
    .join('\n');
}
