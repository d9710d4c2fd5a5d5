import { formatMicroseconds, type Microseconds } from '../../domain/microseconds.ts';
import type { SourceTable } from './columns.ts';

interface Span {
  readonly from: Microseconds;
  /** Exclusive, after `from`. */
  readonly to: Microseconds;
}

const MILLISECOND = 1000n;
const DAY = 86_400_000n * MILLISECOND;

/**
 * FROM clauses, without alias, that together return the changes of a table within a span, in the warehouse's own SQL.
 *
 * @param rows `appends` if added rows suffice
 */
export function historyPieces(table: SourceTable, rows: 'appends' | 'changes', span: Span): string[] {
  return table.kind === 'snowflake' ? [onSnowflake(table.name, rows, span)] : onBigquery(table.name, rows, span);
}

/**
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/table-functions-built-in: the end is exclusive, and a call of
 * CHANGES covers at most a day.
 */
function onBigquery(table: string, rows: 'appends' | 'changes', { from, to }: Span): string[] {
  const longest = rows === 'changes' ? DAY : to - from;
  const pieces: string[] = [];
  for (let start = from; start < to; start += longest) {
    const end = start + longest < to ? start + longest : to;
    const [first, last] = [start, end].map((at) => `TIMESTAMP '${formatMicroseconds(at)}'`);
    pieces.push(`${rows.toUpperCase()}(TABLE ${table}, ${first}, ${last})`);
  }
  return pieces;
}

/**
 * https://docs.snowflake.com/en/sql-reference/constructs/changes: the state AT an instant includes what was committed at it,
 * and so does END. So the result has changes after AT, up to and including END. Its instants are whole milliseconds, like our
 * spans: subtracting one millisecond from both sides gives the span with an exclusive end.
 */
function onSnowflake(table: string, rows: 'appends' | 'changes', { from, to }: Span): string {
  const [start, end] = [from, to].map((at) => `'${formatMicroseconds(at - MILLISECOND)}'::TIMESTAMP_TZ`);
  const information = rows === 'appends' ? 'APPEND_ONLY' : 'DEFAULT';
  return `${table} CHANGES(INFORMATION => ${information}) AT(TIMESTAMP => ${start}) END(TIMESTAMP => ${end})`;
}
