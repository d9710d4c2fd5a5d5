import type { Database } from '../../duckdb/database.ts';
import { fileList } from '../../duckdb/sql.ts';

/** Width of staged rows according to the footers of their files. */
export interface StagedWidth {
  /** Average bytes of a row in the row group with the widest rows. */
  readonly row: number;
  /** Bytes of the widest row group. */
  readonly group: number;
}

/** May be too low: a repeated string is stored only once. */
export async function stagedWidth(database: Database, staged: readonly string[]): Promise<StagedWidth> {
  const [found] = await database.rows(
    `SELECT CAST(max(bytes / rows) AS BIGINT), max(bytes) FROM (
       SELECT CAST(sum(total_uncompressed_size) AS BIGINT) AS bytes, any_value(row_group_num_rows) AS rows
       FROM parquet_metadata(${fileList(staged)}) GROUP BY file_name, row_group_id)`,
  );
  return { row: Number(found?.[0] ?? 0), group: Number(found?.[1] ?? 0) };
}
