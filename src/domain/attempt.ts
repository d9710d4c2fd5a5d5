/** Seconds that one thread spent on each step of a chunk. */
interface ChunkSeconds {
  readonly read: number;
  readonly encode: number;
  readonly score: number;
  readonly write: number;
}

/** One scoring of one chunk: a Parquet file that is not staged yet. */
export interface ScoredFile {
  readonly chunk: number;
  /** See `newAttemptId`. */
  readonly attempt: string;
  readonly file: string;
  readonly rows: number;
  readonly provider: string;
  readonly seconds: ChunkSeconds;
  /** Rows per batch that fit the device's memory, if the batches had to be halved. */
  readonly halvedTo?: number;
}

/** An attempt in staging, as counted from its rows. */
export interface StagedAttempt {
  readonly chunk: number;
  readonly attempt: string;
  readonly rows: number;
}
