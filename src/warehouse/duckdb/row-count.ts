import { fileList } from '../../duckdb/sql.ts';
import { ScoreBatchError } from '../../errors.ts';
import { type DuckdbFile, withMemory } from './file.ts';
import { runFolder } from './scratch.ts';

/** Rows of a run's Parquet files according to their footers; undefined if one cannot be read. */
export async function countRows(file: DuckdbFile, runId: string, files: readonly string[]): Promise<number | undefined> {
  if (files.length === 0) return 0;
  try {
    const [row] = await withMemory(file, runFolder(file, runId), (database) =>
      database.rows(`SELECT CAST(sum(num_rows) AS BIGINT) FROM parquet_file_metadata(${fileList(files)})`),
    );
    return Number(row?.[0]);
  } catch (error) {
    if (error instanceof ScoreBatchError && error.kind === 'conflict') return undefined;
    throw error;
  }
}
