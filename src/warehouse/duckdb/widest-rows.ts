import type { WidestRows } from '../../domain/frozen-table.ts';
import type { Column } from '../../domain/schema.ts';
import type { Database } from '../../duckdb/database.ts';
import { fileList, parquetScan } from '../../duckdb/sql.ts';
import { placed } from './frozen-rows.ts';

/**
 * The row group of these files that takes the most memory; undefined if none exceeds `usual` bytes. DuckDB checks the size of a
 * row group once per vector of rows, so long strings can make it larger than configured.
 */
export async function widestRows(
  database: Database,
  files: readonly string[],
  columns: readonly Column[],
  usual: number,
): Promise<WidestRows | undefined> {
  const [found] = await database.rows(
    `SELECT file_name, any_value(row_group_num_rows), CAST(sum(total_uncompressed_size) AS BIGINT) AS bytes,
       arg_max(path_in_schema, total_uncompressed_size)
     FROM parquet_metadata(${fileList(files)})
     GROUP BY file_name, row_group_id HAVING bytes > ${usual} ORDER BY bytes DESC LIMIT 1`,
  );
  if (found === undefined) return undefined;
  const [file, rows, bytes, place] = found;
  const position = columns.findIndex((_, i) => placed(i) === place);
  const column = columns[position];
  if (column === undefined) throw new Error(`a frozen file has an unexpected column ${place}`);
  const [largest] =
    column.type === 'string'
      ? await database.rows(`SELECT max(strlen(${placed(position)})) FROM ${parquetScan([String(file)])}`)
      : [];
  return {
    column: column.name,
    rows: Number(rows),
    bytes: Number(bytes),
    largest: largest === undefined ? undefined : Number(largest[0]),
  };
}
