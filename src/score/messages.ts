import type { ScoredFile } from '../domain/attempt.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { ProviderText } from '../domain/provider.ts';
import type { Column } from '../domain/schema.ts';
import type { Scorer } from '../domain/scorer.ts';
import type { Signature } from '../domain/signature.ts';
import type { ErrorKind } from '../errors.ts';
import type { ModelFile } from '../runtime/model-file.ts';
import type { WarehouseAccess } from '../warehouse/warehouse.ts';

/** What a chunk worker needs to know once; plain data, copied to its thread. */
export interface WorkerSetup {
  readonly source: WarehouseAccess;
  readonly frozen: FrozenTable;
  readonly model: ModelFile;
  /** What scores, as it is written into each attempt. */
  readonly scorer: Scorer;
  readonly signature: Signature;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** In the order of `featuresOf(signature)`. */
  readonly features: readonly Column[];
  /** The one that served when the run was planned: a worker takes no other. */
  readonly provider: ProviderText;
  readonly requireGpu: boolean;
  readonly batchRows: number;
  readonly hashValues: boolean;
  /** Secret of `hashedValue`; undefined for none. */
  readonly hashKey: string | undefined;
  readonly stagesText: boolean;
  readonly scoredAt: string;
  /** Local folder for scored files; each worker makes one of its own in it for what does not fit into memory. */
  readonly folder: string;
  /** Bytes of the worker's in-memory DuckDB. */
  readonly memory: number;
  /** One int32, not 0 once the run is to stop; read between batches, because a thread must not end inside the model. */
  readonly stop: SharedArrayBuffer;
}

export interface ChunkTask {
  readonly chunk: number;
  readonly rows: number;
}

/** An error's parts; classes do not survive the way between threads. */
export interface ErrorParts {
  readonly kind: ErrorKind | undefined;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly stack: string | undefined;
}

export type WorkerMessage =
  | { readonly type: 'scored'; readonly scored: ScoredFile }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: ErrorParts };
