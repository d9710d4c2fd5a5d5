import { firstLines } from '../../duckdb/errors.ts';
import { ScoreBatchError } from '../../errors.ts';

/** What DuckDB says of a statement that it cannot run. In the job's own SQL that is for its author; in ours it is a bug. */
const STATEMENT =
  /(Parser|Binder|Catalog|Conversion|Invalid Input|Out of Range|Not implemented|Invalid type|Mismatch Type|Constraint|IO) Error/;

/**
 * For statements that hold the job's query.
 *
 * @param name the query's file, or the key of the job file that holds it
 */
export function queryError(error: unknown, name: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ScoreBatchError || !STATEMENT.test(message)) return error;
  return new ScoreBatchError('configuration', `DuckDB refuses ${name}`, {
    details: [firstLines(message)],
    hint: 'try the query in a DuckDB shell, with values in place of :window_start and its kin',
    cause: error,
  });
}

/** Whether waiting may help: another process holds the file for a moment. */
export function isLocked(error: unknown): boolean {
  return error instanceof ScoreBatchError && error.kind === 'conflict';
}
