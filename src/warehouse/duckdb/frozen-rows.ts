import type { Column } from '../../domain/schema.ts';
import { stagedKey } from '../../domain/staged-columns.ts';
import { identifier, numberedScan, parquetScan } from '../../duckdb/sql.ts';

// The Parquet files of a frozen window. Columns are named by position, because a column of the query can have the name that
// DuckDB uses for row numbers.

/** Row number in the file, from 0. DuckDB skips row groups outside a range of row numbers. */
export const ROW_NUMBER = 'score_batch_row';

/** SELECT list for the file: the query's columns, converted where Parquet would change their values. */
export function frozenColumns(columns: readonly Column[]): string[] {
  return columns.map((column, i) => `${selected(column)} AS ${placed(i)}`);
}

/** FROM clause for the rows of files under their original names, plus `ROW_NUMBER`. */
export function frozenRows(files: readonly string[], columns: readonly Column[]): string {
  const named = columns.map(({ name }, i) => `${placed(i)} AS ${identifier(name)}`);
  return `(SELECT ${named.join(', ')}, file_row_number AS ${ROW_NUMBER} FROM ${numberedScan(files)})`;
}

/**
 * Selects keys that occur more than once, under the names of staged keys. One pass covers the keys whose hash modulo
 * `passes` is `pass`, because all keys together do not fit into memory. Hashes are counted first, since they are short for
 * any key.
 */
export function repeatedKeys(
  files: readonly string[],
  { columns, key }: { readonly columns: readonly Column[]; readonly key: readonly Column[] },
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

/** A column converted for Parquet, which has no enum and turns 128-bit integers into doubles. */
export function selected({ name, native, type }: Column): string {
  const quoted = identifier(name);
  if (native === 'HUGEINT') return `CAST(${quoted} AS DECIMAL(38, 0))`;
  return type === 'string' ? `CAST(${quoted} AS VARCHAR)` : quoted;
}
