import type { Column } from './schema.ts';

/** Rows of the window that share a chunk number, as counted in the source's warehouse. */
export interface FrozenChunk {
  readonly chunk: number;
  readonly rows: number;
  /** Sum of the keys' 60-bit hashes, decimal: 10^6 of them do not fit 64 bits. */
  readonly checksum: string;
}

/** A window's input rows, materialised once on the source's side. */
export interface FrozenTable {
  readonly runId: string;
  readonly columns: readonly Column[];
  readonly chunks: readonly FrozenChunk[];
  readonly rows: number;
}
