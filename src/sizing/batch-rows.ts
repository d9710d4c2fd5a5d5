import type { Execution } from '../domain/execution.ts';
import { featuresOf, type Signature } from '../domain/signature.ts';

/**
 * Maximum bytes of a batch between two layers of the model. With more, a layer's output leaves the processor's cache before
 * the next layer reads it; `npm run bench:sizing` measures it. It is a constant instead of the machine's cache size, because
 * the batch size affects the last bits of a sum, and scores must not depend on the machine.
 */
const BATCH_BYTES = 2 * 2 ** 20;
/** From here on, the fixed cost of a call no longer matters. */
const MAX_ROWS = 8_192;
const MIN_ROWS = 256;
/** All values between layers are counted as float32. */
const VALUE_BYTES = 4;
/** An encoded string is a reference, usually with a short string of its own. */
const ENCODED_BYTES = { float32: 4, float64: 8, int64: 8, bool: 1, string: 40 } as const;

/**
 * Rows per call of the model: the largest power of two from 256 to 8,192 with which the widest layer's values fit
 * `BATCH_BYTES`. Trees have no layers and are equally fast with any size.
 *
 * @param width values per row of the widest layer, 0 if unknown
 */
export function batchRows(configured: number | 'auto', signature: Signature, width: number): number {
  if (configured !== 'auto') return configured;
  const widest = Math.max(1, featuresOf(signature).length, width);
  const rows = 2 ** Math.floor(Math.log2(BATCH_BYTES / (widest * VALUE_BYTES)));
  return Math.min(MAX_ROWS, Math.max(MIN_ROWS, rows));
}

/** Bytes of a row in the input tensors. */
export function encodedBytes(signature: Signature): number {
  return featuresOf(signature).reduce((sum, { dtype }) => sum + ENCODED_BYTES[dtype], 0);
}

/** Bytes of a row of a batch: encoded, and two layers, one being read and one being written. */
export function rowBytes(signature: Signature, width: number): number {
  return encodedBytes(signature) + 2 * VALUE_BYTES * Math.max(width, featuresOf(signature).length);
}

/**
 * Number of chunk workers. By default one per processor, since more would only cost memory; a configured number is used as
 * it is. A GPU gets one worker, whatever is configured: two threads on one WebGPU device crash the process.
 *
 * @param configured undefined for the default
 */
export function workerCount(
  configured: number | undefined,
  { provider, devices }: Pick<Execution, 'provider' | 'devices'>,
  cores: number,
): number {
  if (provider === 'cpu') return configured ?? cores;
  return Math.min(configured ?? devices.length, devices.length);
}
