import { ScoreBatchError } from './errors.ts';

const MEGABYTE = 1_000_000;
const DEFAULT_MEGABYTES = 500;
const LEAST_MEGABYTES = 200;

/**
 * Bytes that the embedded database of the main thread may use: `SCORE_BATCH_MEMORY` in megabytes, 500 by default. What does
 * not fit goes to a folder beside the database. Chunk workers have their own, a quarter of it each.
 */
export function memoryBudget(environment: NodeJS.ProcessEnv): number {
  const text = environment.SCORE_BATCH_MEMORY;
  if (!text) return DEFAULT_MEGABYTES * MEGABYTE;
  const megabytes = Number(text);
  if (!Number.isInteger(megabytes) || megabytes < LEAST_MEGABYTES) {
    throw new ScoreBatchError('usage', `SCORE_BATCH_MEMORY=${text} is no memory size`, {
      hint: `write whole megabytes, ${LEAST_MEGABYTES} at least`,
    });
  }
  return megabytes * MEGABYTE;
}

/** Bytes for the in-memory database of one chunk worker. */
export function workerMemory(budget: number): number {
  return Math.floor(budget / 4);
}
