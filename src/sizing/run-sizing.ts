import type { Execution } from '../domain/execution.ts';
import type { Chunking, FrozenTable } from '../domain/frozen-table.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import { batchRows, encodedBytes, rowBytes, workerCount } from './batch-rows.ts';
import { readMachine } from './machine.ts';
import {
  CLASS_BYTES,
  fitToMemory,
  type Load,
  type MemoryBound,
  type MemoryPlan,
  ownBound,
  requestedBound,
} from './memory-plan.ts';

/** Default rows of a chunk: an interrupted chunk loses seconds of work. */
const CHUNK_ROWS = 250_000;
/** Minimum number of chunks within DuckDB, where a chunk costs next to nothing. Elsewhere each chunk is a load job. */
const MIN_CHUNKS = 16;

/** How much a run works on at once. */
export interface Sizing {
  readonly bound: MemoryBound;
  /** What the job needs; `fitToMemory` fits it to the bound. */
  readonly load: Load;
  readonly chunking: Chunking;
  /** Configured workers; undefined for one per processor. */
  readonly requestedWorkers: number | undefined;
  /** Processors that this process may use. */
  readonly cores: number;
  /** Memory of the machine or the container, in bytes. */
  readonly memory: number;
}

export interface SizingOptions {
  /** Undefined: one per core. */
  readonly workers: number | undefined;
  /** Undefined if this process scores nothing. */
  readonly execution: Execution | undefined;
  readonly kinds: { readonly source: WarehouseKind; readonly sink: WarehouseKind };
  /** Bytes, from `Context.maxMemory`. */
  readonly maxMemory: number | undefined;
}

/** @throws ScoreBatchError if the job does not fit into memory, with the minimum that works */
export function sizeRun(definition: JobDefinition, bundle: Bundle, options: SizingOptions): Sizing {
  const { chunk_rows: rows, batch_rows: batch } = definition.score;
  const { cores, memory } = readMachine();
  const local = options.kinds.source === 'duckdb' && options.kinds.sink === 'duckdb';
  const chunkRows = rows === 'auto' ? CHUNK_ROWS : rows;
  const load: Load = {
    workers: options.execution === undefined ? 1 : workerCount(options.workers, options.execution, cores),
    batchRows: Math.min(chunkRows, batchRows(batch, bundle.signature, bundle.width)),
    chunkRows,
    rowBytes: rowBytes(bundle.signature, bundle.width),
    encodedBytes: encodedBytes(bundle.signature),
    ...(definition.score.classes && { classBytes: CLASS_BYTES * (1 + (bundle.signature.classes?.labels.length ?? 0)) }),
    modelBytes: bundle.size,
    cores,
    local,
  };
  const bound = requestedBound(options.maxMemory, definition.score.max_memory) ?? ownBound(memory, load);
  const fitted = fitToMemory(bound, load, false);
  return {
    bound,
    load,
    cores,
    memory,
    requestedWorkers: options.workers,
    chunking: { chunkRows: fitted.chunkRows, minChunks: rows === 'auto' && local ? MIN_CHUNKS : 1 },
  };
}

/**
 * Fits a run to memory again once its rows are frozen. Their chunks already exist, perhaps from another machine, so only
 * workers and batches can shrink. If no bound is set, wide rows get more memory, within the machine's share.
 *
 * @throws ScoreBatchError like `fitToMemory`, with the column that makes the rows wide
 */
export function fitFrozen({ bound, load, memory }: Sizing, { chunks, widest }: FrozenTable): MemoryPlan {
  const cut = { ...load, chunkRows: Math.max(0, ...chunks.map(({ rows }) => rows)), widest };
  return fitToMemory(bound.from === 'machine' ? ownBound(memory, cut) : bound, cut, true);
}
