/** Records of a key by (time, offset), as those see them who compute features. */
export interface Records {
  /** Each of as many numbers as its layout has. */
  readonly data: Float64Array;
  /** Of each record; undefined if no feature asks for ids. */
  readonly ids: readonly string[] | undefined;
  /** The oldest record. */
  readonly from: number;
}
