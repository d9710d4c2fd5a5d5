import type { ScoredFile } from '../domain/attempt.ts';
import type { PublishedClasses } from '../domain/class-columns.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { ProviderText } from '../domain/provider.ts';
import type { Column } from '../domain/schema.ts';
import type { Scorer } from '../domain/scorer.ts';
import type { Signature } from '../domain/signature.ts';
import type { ErrorParts } from '../error-parts.ts';
import type { ModelFile } from '../runtime/model-file.ts';
import type { WarehouseAccess } from '../warehouse/warehouse.ts';

/** The setup of a chunk worker; plain data, copied to its thread. */
export interface WorkerSetup {
  readonly source: WarehouseAccess;
  readonly frozen: FrozenTable;
  readonly model: ModelFile;
  /** Recorded in each attempt. */
  readonly scorer: Scorer;
  readonly signature: Signature;
  readonly key: readonly Column[];
  /** Columns of the frozen table. */
  readonly keep: readonly Column[];
  /** Set if every class is published; not together with `slice`. */
  readonly classes: PublishedClasses | undefined;
  /** In the order of `featuresOf(signature)`. */
  readonly features: readonly Column[];
  /** The provider chosen when the run was planned. A worker never uses another one. */
  readonly provider: ProviderText;
  readonly requireGpu: boolean;
  readonly batchRows: number;
  readonly hashValues: boolean;
  /** See `setHashKey`; undefined for no key. */
  readonly hashKey: string | undefined;
  readonly stagesText: boolean;
  readonly scoredAt: string;
  /** Set for chunks of a slice: scored files get the column `SKIP_KEY`, and rows that did not change are not scored again. */
  readonly slice: SliceSetup | undefined;
  /** Local folder for scored files. Each worker also makes a folder in it for data that does not fit in memory. */
  readonly folder: string;
  /** Bytes of the worker's in-memory DuckDB. */
  readonly memory: number;
  /** One int32 that becomes nonzero to stop the worker. Checked between batches, because a thread must not end inside the model. */
  readonly stop: SharedArrayBuffer;
  /** One bigint64, to which each worker adds the rows of a batch that is scored. */
  readonly done: SharedArrayBuffer;
}

export interface SliceSetup {
  /**
   * Path of a local Parquet file with the scores that this model gave earlier: `key_hash` (see `keyHash`), `SKIP_KEY`, and
   * `score` as a decimal. Rows without an entry, or all rows if undefined, are scored.
   */
  readonly earlier: string | undefined;
}

export interface ChunkTask {
  readonly chunk: number;
  readonly rows: number;
}

export type WorkerMessage =
  | { readonly type: 'scored'; readonly scored: ScoredFile }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: ErrorParts };
