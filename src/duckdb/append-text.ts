import { DuckDBDataChunk, VARCHAR } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Database } from './database.ts';
import { VECTOR_ROWS } from './vector.ts';

/** Bytes of a vector's validity bitmap. */
const BITMAP = VECTOR_ROWS / 8;

/** Appends rows of strings and nulls to a temporary table with `width` VARCHAR columns. */
export async function appendText(
  database: Database,
  table: string,
  width: number,
  rows: readonly (readonly (string | null)[])[],
): Promise<void> {
  const appender = await database.connection.createAppender(table, 'main', 'temp');
  const chunk = DuckDBDataChunk.create(
    Array.from({ length: width }, () => VARCHAR),
    VECTOR_ROWS,
  );
  for (let start = 0; start < rows.length; start += VECTOR_ROWS) {
    const count = Math.min(VECTOR_ROWS, rows.length - start);
    // Frees the strings of the previous chunk.
    chunk.reset();
    chunk.rowCount = count;
    for (let column = 0; column < width; column += 1) {
      fill(duckdb.data_chunk_get_vector(chunk.chunk, column), rows, start, count, column);
    }
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

function fill(
  vector: duckdb.Vector,
  rows: readonly (readonly (string | null)[])[],
  start: number,
  count: number,
  column: number,
): void {
  const valid = new Uint8Array(BITMAP).fill(0xff);
  let nulls = false;
  for (let row = 0; row < count; row += 1) {
    const text = rows[start + row]?.[column] ?? null;
    if (text === null) {
      // One bit per row, least bit first.
      valid[row >> 3] = (valid[row >> 3] ?? 0) & ~(1 << (row & 7));
      nulls = true;
    } else {
      duckdb.vector_assign_string_element(vector, row, text);
    }
  }
  if (!nulls) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, BITMAP);
}
