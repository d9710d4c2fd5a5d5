import { type ErrorKind, Interrupted, ScoreBatchError, tooManyFiles } from '../errors.ts';
import { bugWithoutValues, withoutValues } from '../without-values.ts';

interface KnownError {
  readonly pattern: RegExp;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: string;
}

/** Only tables that are published can have constraints; a unique index is looked at when the transaction is committed. */
const BROKEN_CONSTRAINT = /^Constraint Error|constraint violation/;

/** What DuckDB's messages mean for the person on call; it has no codes. The first that matches counts. */
const ERRORS: readonly KnownError[] = [
  {
    pattern: /Could not set lock on file|Conflicting lock/,
    kind: 'conflict',
    what: 'is in use by another process',
    hint: 'wait where it is another run of score-batch, close it where it is a DuckDB shell, and start again; one process at a time can write the file',
  },
  {
    pattern: /No space left on device|ENOSPC/,
    kind: 'unavailable',
    what: 'has no room left on its disk',
    hint: 'free some space and start the same command again: it goes on from the chunks that are staged',
  },
  {
    pattern: /Permission denied|Read-only file system/i,
    kind: 'permission',
    what: 'may not be read or written by this user',
    hint: 'give the user that runs score-batch rights on the file and its folder',
  },
  {
    pattern: /database does not exist|Cannot open database/,
    kind: 'configuration',
    what: 'cannot be opened',
    hint: 'check the path in source.warehouse; score-batch never creates a source',
  },
  {
    pattern: /ENOTDIR|Not a directory/,
    kind: 'configuration',
    what: 'cannot be made: its path leads through a file',
    hint: 'check the path of the warehouse in the job file',
  },
  {
    pattern:
      /No files found that match|ENOENT|too small to be a Parquet file|No magic bytes found|Cannot open file .*No such file/,
    kind: 'conflict',
    what: 'has lost files of this run',
    hint: 'something removed or damaged them; start again with --fresh',
  },
  {
    pattern: /newer version of DuckDB|storage version|Trying to read a database file with version number|Serialization Error/i,
    kind: 'configuration',
    what: 'was written by a newer DuckDB, in a format that this one cannot read',
    hint: "copy it with that DuckDB into a file that this one can read: ATTACH 'other.duckdb' (STORAGE_VERSION 'v1.5.0'); COPY FROM DATABASE …",
  },
  {
    pattern: /Corrupt database file/,
    kind: 'configuration',
    what: 'is damaged',
    hint: 'restore it from a copy; what score-batch publishes can be published again from its source',
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
    what: 'has a published table whose constraint refuses the new rows',
    hint: 'drop the unique index, NOT NULL or CHECK that is named, or name another table; the same command then goes on with what is staged',
  },
  {
    pattern: /Out of Memory Error|failed to allocate|failed to pin block/,
    kind: 'configuration',
    what: 'cannot be worked on with the memory that DuckDB is allowed',
    hint: 'start again with a higher --max-memory; it goes on from the chunks that are staged',
  },
];

/** What DuckDB says of a statement, a file or a machine, before it looks at a row. Any other of its errors may quote one. */
const WITHOUT_ROWS =
  /^(Parser|Syntax|Binder|Catalog|Dependency|Not implemented|IO|HTTP|Permission|Out of Memory|TransactionContext|Serialization|INTERNAL|INTERRUPT) Error: /;

function mayQuoteRows(message: string): boolean {
  return /^[A-Z][A-Za-z ]* Error: /.test(message) && (!WITHOUT_ROWS.test(message) || BROKEN_CONSTRAINT.test(message));
}

/**
 * @param subject what the statement worked on, e.g. the file's path
 * @returns the error to throw; an unknown one is returned as it is, to be shown as a bug with its stack
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

/** For casts of the features of a chunk: a whole number of 38 digits may not fit the 64 bits of the model's input. */
export function featureError(error: unknown, subject: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ScoreBatchError || !/Conversion Error/.test(message)) return duckdbError(error, subject);
  return new ScoreBatchError('configuration', `${subject} has a value that does not fit the model input that it feeds`, {
    details: [firstLines(message)],
    hint: 'cast or limit the feature in the query, or give it another dtype in the bundle',
    cause: error,
  });
}

/** What DuckDB has to say, without values of rows. */
export function firstLines(message: string): string {
  return (mayQuoteRows(message) ? withoutValues(message) : message)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 4)
    .join('\n');
}
