import { type ColumnBatch, type ColumnValues, isValid } from '../../domain/column-batch.ts';

/** Splits a batch into batches of one row. */
export function singleRows({ rows, columns }: ColumnBatch): ColumnBatch[] {
  return Array.from({ length: rows }, (_, row) => ({ rows: 1, columns: columns.map((column) => cellOf(column, row)) }));
}

function cellOf(column: ColumnValues, row: number): ColumnValues {
  if (column.kind === 'string') return { ...column, values: [column.values[row] ?? null] };
  const values = column.values.slice(row, row + 1);
  return { ...column, values, valid: Uint8Array.of(isValid(column.valid, row) ? 1 : 0) } as ColumnValues;
}
