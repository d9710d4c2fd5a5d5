import { warehouseKind } from '../domain/warehouse-kind.ts';
import type { JobDefinition } from '../job/schema.ts';
import { readMachine } from '../sizing/machine.ts';
import { machineBound, requestedBound, shareOf } from '../sizing/memory-plan.ts';

/** Resources for each window that runs in parallel. */
export interface Share {
  /** Bytes, as `Context.maxMemory`. */
  readonly maxMemory: number | undefined;
  /** Undefined for the default. */
  readonly workers: number | undefined;
}

export interface ShareOptions {
  /** Windows that run in parallel. */
  readonly jobs: number;
  readonly maxMemory: number | undefined;
  readonly workers: number | undefined;
}

/**
 * Divides memory and workers among windows that run in parallel. Within DuckDB, one window is scored at a time, by all workers,
 * because its query occupies the file.
 */
export function shareResources({ score, source, sink }: JobDefinition, { jobs, maxMemory, workers }: ShareOptions): Share {
  if (jobs === 1) return { maxMemory, workers };
  const { cores, memory } = readMachine();
  const bound = requestedBound(maxMemory, score.max_memory) ?? machineBound(memory);
  const local = [source.warehouse, sink.warehouse ?? source.warehouse].every((url) => warehouseKind(url) === 'duckdb');
  const share = { maxMemory: shareOf(bound, jobs) };
  if (local && source.freeze !== 'always') return { ...share, workers };
  const all = workers ?? (score.workers === 'auto' ? cores : score.workers);
  return { ...share, workers: Math.max(1, Math.floor(all / jobs)) };
}
