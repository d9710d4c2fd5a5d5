import type { KeyHash } from './checksum.ts';
import type { Column } from './schema.ts';

/** Rows of the window that share a chunk number, as counted in the source's warehouse. */
export interface FrozenChunk {
  readonly chunk: number;
  readonly rows: number;
  /** Sum of the keys' 60-bit hashes, decimal: 10^6 of them do not fit 64 bits. */
  readonly checksum: string;
  /** The same sum over hashes of all frozen columns; where the source is asked for it again, see `AlteredFrozenTable`. */
  readonly content?: string;
}

/** Rows of a file, from `first` on (counted from 0), as many as the chunk has. */
export interface FrozenPiece {
  readonly file: string;
  readonly first: number;
}

/** Bytes of memory that a statement takes for each byte of the widest row group: its pages, its rows, and what is written of them. */
export const COPIES_OF_WIDEST = 8;

/** What takes the most memory to read: rows are read a row group at a time, whole texts of them together. */
export interface WidestRows {
  /** The column that has most of it. */
  readonly column: string;
  readonly rows: number;
  /** Of all columns. */
  readonly bytes: number;
  /** Bytes of the column's largest value, where it is text. */
  readonly largest: number | undefined;
}

/** A window's input rows, materialised once on the source's side. */
export interface FrozenTable {
  /** Random, made with the table (see `newFrozenId`): another freeze of the same run is another table. */
  readonly id: string;
  readonly runId: string;
  readonly columns: readonly Column[];
  readonly chunks: readonly FrozenChunk[];
  readonly rows: number;
  /** Chunks that the table is divided into, those without a row included. */
  readonly divisions: number;
  /**
   * Keys that occur more than once, where the source counted them over all rows; else all rows of a key are in one chunk, by a
   * hash of the key.
   */
  readonly duplicates?: number;
  /** Where each chunk's rows are, for a source that keeps ranges of rows of files. */
  readonly pieces?: readonly FrozenPiece[];
  /** Where a row group takes more memory than one is meant to, for a source that keeps files. */
  readonly widest?: WidestRows;
  /** Whether its rows were scored on their way out of the query, so that there is no table to look at again. */
  readonly tapped?: boolean;
  /** Of which the checksums are made. */
  readonly hash: KeyHash;
}

/**
 * Number of buckets by which a warehouse partitions a frozen table before it knows how many rows there are: counting them
 * first would scan the source twice. It is also the largest number of chunks, below BigQuery's 1,500 loads per table and day
 * and its 4,000 partitions per job.
 */
export const BUCKETS = 1000;

/** The buckets `[first, end)` of a chunk, of about equal numbers of keys. */
export function bucketsOf(chunk: number, divisions: number): readonly [first: number, end: number] {
  return [Math.ceil((chunk * BUCKETS) / divisions), Math.ceil(((chunk + 1) * BUCKETS) / divisions)];
}

/** How a window is divided into chunks. */
export interface Chunking {
  /** Rows of a chunk at most, about. */
  readonly chunkRows: number;
  /**
   * Chunks that there should be even where fewer would do, so that several workers have something to do until the end; 1 by default. A chunk has
   * `SPREAD_ROWS` at least all the same.
   */
  readonly leastChunks?: number;
}

/** Enough rows that a chunk's own costs, some milliseconds of queries, are little beside them. */
const SPREAD_ROWS = 25_000;

/** Number of chunks for so many rows. It depends on nothing else: a run goes on elsewhere with the same ones. */
export function chunksFor(rows: number, { chunkRows, leastChunks = 1 }: Chunking): number {
  return Math.max(1, Math.ceil(rows / chunkRows), Math.min(leastChunks, Math.floor(rows / SPREAD_ROWS)));
}

/** Number of chunks for a frozen table that is divided into buckets. */
export function divisionsFor(rows: number, chunking: Chunking): number {
  return Math.min(BUCKETS, chunksFor(rows, chunking));
}
