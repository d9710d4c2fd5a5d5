import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Column } from '../domain/schema.ts';
import type { Database } from '../duckdb/database.ts';
import type { Source } from './warehouse.ts';

/** The columns of a chunk that a chunk worker needs. */
export interface ChunkColumns {
  /** Copied to the scored file: keys and kept columns. */
  readonly passed: readonly Column[];
  /** Inputs of the features, by position of the feature. A column can also be in `passed`. */
  readonly features: readonly Column[];
  /** How the encoder reads each of them. */
  readonly kinds: readonly ReadKind[];
}

/** A batch of rows from a feeding source; its columns are the features. */
export interface FedBatch extends ColumnBatch {
  /** True for the first batch of a read. Discard batches that came before: they belong to a read that failed. */
  readonly begins: boolean;
  /** Adds rows to `REJECTED_ROWS`. @param positions in the batch, ascending */
  keep(positions: readonly number[]): void;
}

/** Optional capability of a source: it streams the features of a chunk instead of loading them into a table. */
export interface FeedingSource {
  /**
   * Like `loadChunk`, but the relation `chunk` has only the passed columns. Its rows are in the order of the batches. It is
   * complete after the last batch, as is `REJECTED_ROWS`, which does not exist if there was no batch.
   *
   * @throws Error if the row count differs from the one taken when the chunk was frozen
   */
  feedChunk(frozen: FrozenTable, chunk: number, database: Database, columns: ChunkColumns): AsyncIterable<FedBatch>;
}

export function canFeed(source: Source): source is Source & FeedingSource {
  return 'feedChunk' in source;
}
