/**
 * Values of one column. `valid` has one bit per row, least significant bit first, 1 = not null, as in Arrow and DuckDB;
 * without it the column has no nulls. `bool` is one byte per row.
 */
export type ColumnValues =
  | { readonly kind: 'float32'; readonly values: Float32Array; readonly valid: Uint8Array | undefined }
  | {
      readonly kind: 'float64';
      readonly values: Float64Array;
      readonly valid: Uint8Array | undefined;
      /** One bit per row, as in `valid`: set if a store may have kept the value as float32. If absent, no row is. */
      readonly widened?: Uint8Array;
    }
  | { readonly kind: 'int32'; readonly values: Int32Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'int64'; readonly values: BigInt64Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'bool'; readonly values: Uint8Array; readonly valid: Uint8Array | undefined }
  /** Each string as its index in the feature's categories; -1 if it is not one of them. */
  | { readonly kind: 'category'; readonly values: Int32Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'string'; readonly values: readonly (string | null)[]; readonly valid: undefined };

export type ColumnKind = ColumnValues['kind'];

/** Kinds that a reader can request. A batch may hold a narrower kind with the same values. */
export type ReadKind = Exclude<ColumnKind, 'int32' | 'category'>;

/** Maximum rows of a batch: one DuckDB vector. Tensors of this size stay in the processor's cache. */
export const BATCH_ROWS = 2048;

/** Some rows of a table, column by column. The arrays may be views that are valid only until the next batch is read. */
export interface ColumnBatch {
  readonly rows: number;
  readonly columns: readonly ColumnValues[];
}

/** A column that is filled cell by cell; float32 is written as float64. */
export type CellValues = Float64Array | BigInt64Array | Uint8Array | (string | null)[];

export function emptyCells(kind: ReadKind, rows: number): CellValues {
  switch (kind) {
    case 'float32':
    case 'float64':
      return new Float64Array(rows);
    case 'int64':
      return new BigInt64Array(rows);
    case 'bool':
      return new Uint8Array(rows);
    case 'string':
      return new Array<string | null>(rows).fill(null);
  }
}

/** Whether row `row` of a column has a value. */
export function isValid(valid: Uint8Array | undefined, row: number): boolean {
  return valid === undefined || ((valid[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}
