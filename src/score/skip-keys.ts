import { createHash } from 'node:crypto';
import type { Signature } from '../domain/signature.ts';
import { createFeatureHasher } from '../features/hash.ts';
import type { InputTensor } from '../runtime/session.ts';

/** The skip key of each row as a signed 64-bit integer in two halves. */
export interface SkipKeys {
  readonly high: Int32Array;
  /** Unsigned. */
  readonly low: Int32Array;
}

export function emptySkipKeys(rows: number): SkipKeys {
  return { high: new Int32Array(rows), low: new Int32Array(rows) };
}

/** Computes the skip keys of some rows. @param rejected see `FeatureHasher` */
export type ComputeSkipKeys = (inputs: readonly InputTensor[], rejected: Int32Array, into: SkipKeys) => void;

/**
 * Rows with equal skip keys have equal scores under the same model file: the key is the hash of the encoded features, mixed
 * with which inputs they feed and which output is the score, since `model.yaml` can change those without the file.
 *
 * @param capacity maximum rows per call
 */
export function createSkipKeys({ inputs: declared, output }: Signature, capacity: number): ComputeSkipKeys {
  const form = JSON.stringify([declared.map(({ name, dtype }) => [name, dtype]), output.name, output.index]);
  const digest = createHash('sha256').update(form).digest();
  const [first, second] = [digest.readInt32LE(0), digest.readInt32LE(4)];
  const hasher = createFeatureHasher();
  const words = new Uint32Array(2 * capacity);
  return (inputs, rejected, { high, low }) => {
    const rows = rejected.length;
    hasher.hash(inputs, rejected, rows, words);
    for (let row = 0; row < rows; row += 1) {
      low[row] = (words[2 * row] as number) ^ first;
      high[row] = (words[2 * row + 1] as number) ^ second;
    }
  };
}
