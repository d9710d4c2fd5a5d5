import { DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Database } from './database.ts';
import { VECTOR_ROWS } from './vector.ts';

/**
 * Some rows of a column in DuckDB's memory layout. `valid` has one bit per row (least significant bit first, 1 = valid); without
 * it there are no nulls.
 */
export type AppendedColumn =
  | {
      readonly kind: 'fixed';
      /** Bytes per value: 8 for BIGINT, DOUBLE and TIMESTAMP (microseconds), 4 for DATE (days), 1 for BOOLEAN. */
      readonly width: number;
      readonly bytes: Uint8Array;
      readonly valid: Uint8Array | undefined;
    }
  | {
      readonly kind: 'text';
      /** Start of each value in `bytes`, then the end of the last one. */
      readonly offsets: Int32Array;
      /** UTF-8. */
      readonly bytes: Uint8Array;
      readonly valid: Uint8Array | undefined;
    };

export interface ColumnAppender {
  append(rows: number, columns: readonly AppendedColumn[]): void;
  /** Flushes the rows. Before this, the table may lack some. */
  close(): void;
}

/** Size of DuckDB's `duckdb_string_t`: the length, then up to twelve inline bytes or a pointer. */
const STRING = 16;
const INLINE = 12;

/** Appends whole columns to a temporary table, without a JavaScript value per row. */
export async function openColumnAppender(database: Database, table: string): Promise<ColumnAppender> {
  const appender = await database.connection.createAppender(table, 'main', 'temp');
  const types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
  const chunk = DuckDBDataChunk.create(types, VECTOR_ROWS);
  const strings = new Uint8Array(VECTOR_ROWS * STRING);
  return {
    append(rows, columns) {
      for (let start = 0; start < rows; start += VECTOR_ROWS) {
        const count = Math.min(VECTOR_ROWS, rows - start);
        // Frees the memory of long strings and marks every row as valid.
        duckdb.data_chunk_reset(chunk.chunk);
        chunk.rowCount = count;
        for (const [i, column] of columns.entries()) {
          const vector = duckdb.data_chunk_get_vector(chunk.chunk, i);
          if (column.kind === 'text') copyText(vector, column, start, count, strings);
          else copyBytes(vector, column.bytes, start * column.width, count * column.width);
          if (column.valid) copyValidity(vector, column.valid, start, count);
        }
        appender.appendDataChunk(chunk);
      }
    },
    close() {
      appender.closeSync();
    },
  };
}

function copyBytes(vector: duckdb.Vector, bytes: Uint8Array, start: number, length: number): void {
  duckdb.copy_data_to_vector(vector, 0, bytes.buffer as ArrayBuffer, bytes.byteOffset + start, length);
}

/** Chunks start at multiples of eight rows, so their bits start at a byte boundary. */
function copyValidity(vector: duckdb.Vector, valid: Uint8Array, start: number, count: number): void {
  duckdb.vector_ensure_validity_writable(vector);
  const length = Math.ceil(count / 8);
  duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer as ArrayBuffer, valid.byteOffset + start / 8, length);
}

/** Copies all short strings at once. Strings that do not fit inline go to DuckDB one by one. */
function copyText(
  vector: duckdb.Vector,
  { offsets, bytes }: Extract<AppendedColumn, { kind: 'text' }>,
  start: number,
  count: number,
  strings: Uint8Array,
): void {
  strings.fill(0, 0, count * STRING);
  const long: number[] = [];
  for (let row = 0; row < count; row += 1) {
    const from = offsets[start + row] as number;
    const length = (offsets[start + row + 1] as number) - from;
    if (length > INLINE) {
      long.push(row);
      continue;
    }
    const at = row * STRING;
    strings[at] = length;
    for (let i = 0; i < length; i += 1) strings[at + 4 + i] = bytes[from + i] as number;
  }
  copyBytes(vector, strings, 0, count * STRING);
  for (const row of long) {
    const text = bytes.subarray(offsets[start + row], offsets[start + row + 1]);
    duckdb.vector_assign_string_element_len(vector, row, text);
  }
}
