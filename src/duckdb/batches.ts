import { type DuckDBDataChunk, DuckDBTypeId } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { ColumnBatch, ColumnValues, ReadKind } from '../domain/column-batch.ts';
import type { Database, Values } from './database.ts';

/** The DuckDB type to cast a column to, so that `readBatches` reads it as the given kind. */
export const PHYSICAL_TYPE: Readonly<Record<ReadKind, string>> = {
  float32: 'FLOAT',
  float64: 'DOUBLE',
  int64: 'BIGINT',
  bool: 'UTINYINT',
  string: 'VARCHAR',
};

/**
 * Streams a query's rows in column batches of at most 2048 rows. Each is a view of DuckDB's vectors and valid until the next
 * one is requested. Columns must have one of the types in `PHYSICAL_TYPE`.
 */
export async function* readBatches(database: Database, sql: string, values?: Values): AsyncGenerator<ColumnBatch> {
  const result = await database.connection.stream(sql, values);
  const types = result.columnTypes().map(({ typeId }) => typeId);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) return;
    yield { rows: chunk.rowCount, columns: types.map((type, i) => toColumn(chunk, i, type)) };
  }
}

/** Reads whole vectors, because single values are twelve times slower. Strings can only be read as values. */
function toColumn(chunk: DuckDBDataChunk, index: number, type: DuckDBTypeId): ColumnValues {
  const rows = chunk.rowCount;
  if (type === DuckDBTypeId.VARCHAR) {
    return { kind: 'string', values: chunk.getColumnValues(index) as (string | null)[], valid: undefined };
  }
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, index);
  const valid = validity(vector, rows);
  switch (type) {
    case DuckDBTypeId.FLOAT:
      return { kind: 'float32', values: view(vector, rows, Float32Array), valid };
    case DuckDBTypeId.DOUBLE:
      return { kind: 'float64', values: view(vector, rows, Float64Array), valid };
    case DuckDBTypeId.BIGINT:
      return { kind: 'int64', values: view(vector, rows, BigInt64Array), valid };
    case DuckDBTypeId.UTINYINT:
      return { kind: 'bool', values: view(vector, rows, Uint8Array), valid };
    default:
      throw new TypeError(`a column of type ${DuckDBTypeId[type]} cannot be read as a batch`);
  }
}

interface ViewConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, offset: number, length: number): T;
}

function view<T>(vector: duckdb.Vector, rows: number, Values: ViewConstructor<T>): T {
  const bytes = duckdb.vector_get_data(vector, rows * Values.BYTES_PER_ELEMENT);
  return new Values(bytes.buffer as ArrayBuffer, bytes.byteOffset, rows);
}

/** DuckDB stores one bit per row in 64-bit words. On little-endian machines that is Arrow's layout, least significant bit first. */
function validity(vector: duckdb.Vector, rows: number): Uint8Array | undefined {
  // Null if all rows are valid, contrary to the client's type declaration.
  return (duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null) ?? undefined;
}
