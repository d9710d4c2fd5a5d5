import { availableParallelism } from 'node:os';
import type { Execution } from '../domain/execution.ts';

/** Rows per call of the model: small enough to stay in the processor's cache, large enough that the call costs nothing. */
const AUTO_BATCH_ROWS = 8_192;

export function batchRows(configured: number | 'auto'): number {
  return configured === 'auto' ? AUTO_BATCH_ROWS : configured;
}

/**
 * Number of chunk workers.
 *
 * @param configured undefined for one per core. A GPU serves one worker, whatever is configured: two threads on one WebGPU
 *   device crash the process
 */
export function workerCount(
  configured: number | undefined,
  { provider, devices }: Pick<Execution, 'provider' | 'devices'>,
): number {
  if (provider === 'cpu') return configured ?? availableParallelism();
  return Math.min(configured ?? devices.length, devices.length);
}
