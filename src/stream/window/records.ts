/** A key's records by (time, offset), as feature computations see them. */
export interface Records {
  /** Consecutive records, each of the layout's `width` numbers. */
  readonly data: Float64Array;
  /** One per record; undefined if no feature asks for ids. */
  readonly ids: readonly string[] | undefined;
  /** Index of the oldest record. */
  readonly from: number;
}
