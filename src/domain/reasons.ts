/** Why the highest scores are high, for the first ranks of a window. */
export interface Reasons {
  /** Reasons per user. */
  readonly features: number;
  /**
   * Row i belongs to rank i + 1 and has `features` strings, the strongest reason first; null if there are fewer, or if the
   * user's features are no longer known.
   */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A scored row with one of the highest scores. */
export interface TopRow {
  /** First 60 bits of the MD5 of its canonical key text, decimal; see `keyHash`. */
  readonly keyHash: string;
  /** The rounded score in millionths. */
  readonly millionths: number;
  /** Hash of the encoded features, a signed 64-bit integer as a string; undefined if staging does not have it. */
  readonly featureHash: string | undefined;
}

/** How reasons were found, for the ledger. */
export interface ReasonFacts {
  /** Reasons per user. */
  readonly features: number;
  /** Shapley values of a tree ensemble, or occlusion of any model. */
  readonly method: 'shapley' | 'occlusion';
  /** SHA-256 of the baseline's file, hex. */
  readonly baseline: string;
  /** Users with at least one reason. */
  readonly users: number;
  /** Users whose features could not be read again as they were scored. */
  readonly changed: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
}
