import type { Column } from '../../domain/schema.ts';
import { stagedKey } from '../../domain/staged-columns.ts';
import { identifier, numberedScan, parquetScan } from '../../duckdb/sql.ts';

// The Parquet file of a frozen window. Its columns are called by their place: a column of the query may have the name by which
// DuckDB calls the number of a row.

/** The number of a row in its file, from 0; row groups without a row of a range of them are not read. */
export const ROW_NUMBER = 'score_batch_row';

/** The query's columns as they are written: as the query gives them, but for what Parquet would change. */
export function frozenColumns(columns: readonly Column[]): string[] {
  return columns.map((column, i) => `${selected(column)} AS ${placed(i)}`);
}

/** What stands after FROM for a file's rows under their own names, beside `ROW_NUMBER`. */
export function frozenRows(file: string, columns: readonly Column[]): string {
  const named = columns.map(({ name }, i) => `${placed(i)} AS ${identifier(name)}`);
  return `(SELECT ${named.join(', ')}, file_row_number AS ${ROW_NUMBER} FROM ${numberedScan(file)})`;
}

/**
 * Keys that occur more than once, under the names of staged keys; looked for among those whose hash leaves `pass` when divided
 * by `passes`, because all at once do not fit into memory. Hashes are counted first: they are short, whatever the key is.
 */
export function repeatedKeys(
  files: readonly string[],
  columns: readonly Column[],
  key: readonly Column[],
  pass: number,
  passes: number,
): string {
  const places = key.map(({ name }) => placed(columns.findIndex((column) => column.name === name)));
  const hash = `hash(${places.join(', ')})`;
  const keys = `FROM ${parquetScan(files)}
    WHERE ${places.map((place) => `${place} IS NOT NULL`).join(' AND ')}${passes === 1 ? '' : ` AND ${hash} % ${passes} = ${pass}`}`;
  return `SELECT ${places.map((place, i) => `${place} AS ${stagedKey(i)}`).join(', ')} ${keys}
    AND ${hash} IN (SELECT ${hash} AS hash ${keys} GROUP BY hash HAVING count(*) > 1) GROUP BY ALL HAVING count(*) > 1`;
}

/** Name of a column in the file. */
export function placed(index: number): string {
  return `c${index}`;
}

/** A column as Parquet can hold it: it has no 128-bit integer (and makes it a double), and no enum. */
export function selected({ name, native, type }: Column): string {
  const quoted = identifier(name);
  if (native === 'HUGEINT') return `CAST(${quoted} AS DECIMAL(38, 0))`;
  return type === 'string' ? `CAST(${quoted} AS VARCHAR)` : quoted;
}
