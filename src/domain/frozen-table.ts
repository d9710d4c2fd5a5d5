import type { KeyHash } from './checksum.ts';
import type { KeptRows } from './kept-rows.ts';
import type { Column } from './schema.ts';

/** Rows of the window that share a chunk number, counted in the source's warehouse. */
export interface FrozenChunk {
  readonly chunk: number;
  readonly rows: number;
  /** Sum of the keys' 60-bit hashes, decimal: the sum of 10^6 hashes does not fit 64 bits. */
  readonly checksum: string;
  /** The same sum over hashes of all frozen columns, if the source checks it again later; see `AlteredFrozenTable`. */
  readonly content?: string;
}

/** The rows of a chunk within a file: they start at row `first`, counted from 0. */
export interface FrozenPiece {
  readonly file: string;
  readonly first: number;
}

/**
 * Bytes of memory that a statement needs per byte of the widest row group: its pages, its rows and the copy that is written.
 */
export const COPIES_OF_WIDEST = 8;

/** The row group that needs the most memory to read. A row group is read at once, with all its strings. */
export interface WidestRows {
  /** The column with the most bytes. */
  readonly column: string;
  readonly rows: number;
  /** Sum over all columns. */
  readonly bytes: number;
  /** Bytes of the column's largest value; undefined if the column is not text. */
  readonly largest: number | undefined;
}

/** A window's input rows, materialised once on the source's side. */
export interface FrozenTable {
  /** Random, see `newFrozenId`: a second freeze of the same run is another table. */
  readonly id: string;
  readonly runId: string;
  readonly columns: readonly Column[];
  readonly chunks: readonly FrozenChunk[];
  readonly rows: number;
  /** Number of chunks that the table is divided into, empty ones included. */
  readonly divisions: number;
  /**
   * Keys that occur more than once, if the source counted them over all rows. Otherwise chunks are made by a hash of the
   * key, so all rows of a key are in one chunk.
   */
  readonly duplicates?: number;
  /** Where each chunk's rows are, for a source whose chunks are ranges of rows in files. */
  readonly pieces?: readonly FrozenPiece[];
  /** The widest row group, if it exceeds the target size; for a source that keeps files. */
  readonly widest?: WidestRows;
  /** Whether its rows were scored as the query returned them. Then no frozen table exists to read again. */
  readonly tapped?: boolean;
  /** Set if the rows outlive their run; see `source.keep_rows`. */
  readonly kept?: KeptRows;
  /** How the checksums were made. */
  readonly hash: KeyHash;
}

/**
 * Number of buckets that a warehouse partitions a frozen table into. It is fixed, since counting the rows first would scan
 * the source twice. It is also the maximum number of chunks, below BigQuery's 1,500 loads per table and day and its 4,000
 * partitions per job.
 */
export const BUCKETS = 1000;

/** The buckets `[first, end)` of a chunk. Each chunk gets about the same number of keys. */
export function bucketsOf(chunk: number, divisions: number): readonly [first: number, end: number] {
  return [Math.ceil((chunk * BUCKETS) / divisions), Math.ceil(((chunk + 1) * BUCKETS) / divisions)];
}

/** How a window is divided into chunks. */
export interface Chunking {
  /** Approximate maximum of rows per chunk. */
  readonly chunkRows: number;
  /**
   * Minimum number of chunks, so that all workers stay busy until the end; 1 by default. A chunk still gets at least
   * `SPREAD_ROWS` rows.
   */
  readonly minChunks?: number;
}

/** Enough rows to outweigh the fixed cost of a chunk, a few milliseconds of queries. */
const SPREAD_ROWS = 25_000;

/**
 * Number of chunks for `rows`. It depends on nothing else, so a run that resumes on another machine gets the same chunks.
 */
export function chunksFor(rows: number, { chunkRows, minChunks = 1 }: Chunking): number {
  return Math.max(1, Math.ceil(rows / chunkRows), Math.min(minChunks, Math.floor(rows / SPREAD_ROWS)));
}

/** Number of chunks for a frozen table that is divided into buckets. */
export function divisionsFor(rows: number, chunking: Chunking): number {
  return Math.min(BUCKETS, chunksFor(rows, chunking));
}
