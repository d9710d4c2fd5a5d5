/**
 * Values of one column, with one bit per row that says whether the value is there (least significant bit first, 1 = valid,
 * as in Arrow and DuckDB); without `valid` there are no nulls. `bool` is one byte per row.
 */
export type ColumnValues =
  | { readonly kind: 'float32'; readonly values: Float32Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'float64'; readonly values: Float64Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'int32'; readonly values: Int32Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'int64'; readonly values: BigInt64Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'bool'; readonly values: Uint8Array; readonly valid: Uint8Array | undefined }
  /** A text as its position among the feature's categories, -1 where it is none of them. */
  | { readonly kind: 'category'; readonly values: Int32Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'string'; readonly values: readonly (string | null)[]; readonly valid: undefined };

export type ColumnKind = ColumnValues['kind'];

/** Forms in which a column can be asked for; a batch may hold a shorter one that says the same. */
export type ReadKind = Exclude<ColumnKind, 'int32' | 'category'>;

/** Some rows of a table, column by column. The arrays may be views that live only until the next batch is read. */
export interface ColumnBatch {
  readonly rows: number;
  readonly columns: readonly ColumnValues[];
}

/** Whether row `row` of a column has a value. */
export function isValid(valid: Uint8Array | undefined, row: number): boolean {
  return valid === undefined || ((valid[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}
