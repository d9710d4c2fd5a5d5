import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Column } from '../domain/schema.ts';
import type { Database } from '../duckdb/database.ts';
import type { Source } from './warehouse.ts';

/** What a chunk worker needs of the columns of a chunk. */
export interface ChunkColumns {
  /** Go through to the scored file: keys and kept columns. */
  readonly passed: readonly Column[];
  /** Feed the features, by position of the feature; they may be among those that are passed. */
  readonly features: readonly Column[];
  /** How the encoder reads each of them. */
  readonly kinds: readonly ReadKind[];
}

/** Some rows of a chunk that a source feeds; the columns are the features. */
export interface FedBatch extends ColumnBatch {
  /** Whether a read begins with it; rows that came before are of one that broke, and count for nothing. */
  readonly begins: boolean;
  /** Keeps rows as `REJECTED_ROWS`. @param positions in the batch, ascending */
  keep(positions: readonly number[]): void;
}

/** A power that only some sources have: the features of a chunk need not go through a table. */
export interface FeedingSource {
  /**
   * As `loadChunk`, but that the relation `chunk` has the passed columns only. Its rows are in the order of the batches, and
   * whole after the last one, as is `REJECTED_ROWS`; where there is no batch, that one is not there either.
   *
   * @throws Error where the chunk does not have the rows that were counted when it was frozen
   */
  feedChunk(frozen: FrozenTable, chunk: number, database: Database, columns: ChunkColumns): AsyncIterable<FedBatch>;
}

export function canFeed(source: Source): source is Source & FeedingSource {
  return 'feedChunk' in source;
}
