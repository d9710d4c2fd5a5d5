import type { Execution } from '../domain/execution.ts';
import { featuresOf, type Signature } from '../domain/signature.ts';

/**
 * Bytes that a batch may have between two layers of the model. With more, what a layer wrote has left the processor's cache before the
 * next one reads it; `npm run bench:sizing` measures it. A fixed number, and no cache of some machine: the size of a batch moves the last bits
 * of a sum, and scores must not depend on where a run happens.
 */
const BATCH_BYTES = 2 * 2 ** 20;
/** Beyond, a call costs nothing any more; below, it does. */
const MAX_ROWS = 8_192;
const MIN_ROWS = 256;
/** Every value is taken for a float32 where the model is concerned. */
const VALUE_BYTES = 4;
/** An encoded value of a string is a reference and, mostly, a short text of its own. */
const ENCODED_BYTES = { float32: 4, float64: 8, int64: 8, bool: 1, string: 40 } as const;

/**
 * Rows per call of the model: a power of two with which the widest layer's values of a batch take `BATCH_BYTES`, from 256 to 8,192. Trees have no
 * layers, and are as fast with any size.
 *
 * @param width values per row of the widest layer, 0 where it is not known
 */
export function batchRows(configured: number | 'auto', signature: Signature, width: number): number {
  if (configured !== 'auto') return configured;
  const widest = Math.max(1, featuresOf(signature).length, width);
  const rows = 2 ** Math.floor(Math.log2(BATCH_BYTES / (widest * VALUE_BYTES)));
  return Math.min(MAX_ROWS, Math.max(MIN_ROWS, rows));
}

/** Bytes that a row takes in the tensors. */
export function encodedBytes(signature: Signature): number {
  return featuresOf(signature).reduce((sum, { dtype }) => sum + ENCODED_BYTES[dtype], 0);
}

/** Bytes that a row of a batch takes: encoded, and twice between layers, of which one is read and one written. */
export function rowBytes(signature: Signature, width: number): number {
  return encodedBytes(signature) + 2 * VALUE_BYTES * Math.max(width, featuresOf(signature).length);
}

/**
 * Number of chunk workers. More than processors only wait for each other, and cost memory; a number that is asked for is taken all the same. A
 * GPU serves one worker, whatever is configured: two threads on one WebGPU device crash the process.
 *
 * @param configured undefined for one per processor
 */
export function workerCount(
  configured: number | undefined,
  { provider, devices }: Pick<Execution, 'provider' | 'devices'>,
  cores: number,
): number {
  if (provider === 'cpu') return configured ?? cores;
  return Math.min(configured ?? devices.length, devices.length);
}
