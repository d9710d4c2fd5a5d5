/** Seconds that one thread spent on each part of a chunk. */
interface ChunkSeconds {
  readonly read: number;
  readonly encode: number;
  readonly score: number;
  readonly write: number;
}

/** One scoring of one chunk, written as one Parquet file that is not staged yet. */
export interface ScoredFile {
  readonly chunk: number;
  /** Random; tells attempts of one chunk apart. */
  readonly attempt: string;
  readonly file: string;
  readonly rows: number;
  readonly provider: string;
  readonly seconds: ChunkSeconds;
  /** Rows per batch that fitted the device's memory, where more did not. */
  readonly halvedTo?: number;
}

/** An attempt that is in staging, as its own rows say. */
export interface StagedAttempt {
  readonly chunk: number;
  readonly attempt: string;
  readonly rows: number;
}
