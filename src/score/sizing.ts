import { availableParallelism } from 'node:os';

/** Rows per call of the model: small enough to stay in the processor's cache, large enough that the call costs nothing. */
const AUTO_BATCH_ROWS = 8_192;

export function batchRows(configured: number | 'auto'): number {
  return configured === 'auto' ? AUTO_BATCH_ROWS : configured;
}

/**
 * Number of chunk workers.
 *
 * @param configured undefined for one per core; a GPU serves one worker, because two threads on one WebGPU device crash
 */
export function workerCount(configured: number | undefined, provider: string | undefined): number {
  return configured ?? (provider === 'cpu' ? availableParallelism() : 1);
}
