import { firstLines } from '../../duckdb/errors.ts';
import { ScoreBatchError } from '../../errors.ts';
import { rejectedQuery, tryQueryIn } from '../errors.ts';

/** DuckDB's errors about a statement. In the job's SQL they are the author's to fix; in ours they are bugs. */
const STATEMENT =
  /(Parser|Binder|Catalog|Conversion|Invalid Input|Out of Range|Not implemented|Invalid type|Mismatch Type|Constraint|IO) Error/;

/**
 * For statements that contain the job's query.
 *
 * @param name the query's file, or the key in the job file
 */
export function queryError(error: unknown, name: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ScoreBatchError || !STATEMENT.test(message)) return error;
  const origin = { warehouse: 'DuckDB', details: [firstLines(message)], cause: error };
  return rejectedQuery(name, origin, tryQueryIn('a DuckDB shell'));
}

/** Whether another process has the file open, so that waiting can help. */
export function isLocked(error: unknown): boolean {
  return error instanceof ScoreBatchError && error.kind === 'conflict';
}
