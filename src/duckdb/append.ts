import { DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Database } from './database.ts';
import { VECTOR_ROWS } from './vector.ts';

/**
 * Appends whole columns without nulls to a temporary table. All its columns must take four bytes inside DuckDB: INTEGER, or a
 * DECIMAL of 5 to 9 digits as its scaled integer. Three to six times faster than appending rows.
 */
export async function appendInt32(
  database: Database,
  table: string,
  columns: readonly Int32Array[],
  rows: number,
): Promise<void> {
  const appender = await database.connection.createAppender(table, 'main', 'temp');
  const types = columns.map((_, i) => appender.columnType(i));
  const chunk = DuckDBDataChunk.create(types, VECTOR_ROWS);
  for (let start = 0; start < rows; start += VECTOR_ROWS) {
    const count = Math.min(VECTOR_ROWS, rows - start);
    chunk.rowCount = count;
    for (const [i, values] of columns.entries()) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, i);
      duckdb.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, values.byteOffset + start * 4, count * 4);
    }
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
