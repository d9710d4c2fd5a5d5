import type { ResourceLimits } from 'node:worker_threads';

/**
 * Heap of a thread that only makes views of batches. V8 lets the young generation grow to 48 MiB before it collects, which would
 * be wasted here. The limit of the old generation ends a thread that grows beyond any batch before the machine runs out of memory.
 */
export const SMALL_HEAP: ResourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };
