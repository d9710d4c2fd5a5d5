import { createHash } from 'node:crypto';

/**
 * Everything except the bundle and the features that can change a score. The scores of two scorers may differ in the last
 * bit.
 */
export interface Scorer {
  /** Version of score-batch. */
  readonly score_batch: string;
  readonly onnxruntime: string;
  /** Execution provider in use. */
  readonly provider: string;
  /** Architecture and the instruction sets that decide which kernels ONNX Runtime uses. */
  readonly processor: string;
}

/** Hex digits of a scorer's id. */
export const SCORER_ID_DIGITS = 8;

/** A short digest of all fields of a scorer. */
export function scorerId({ score_batch, onnxruntime, provider, processor }: Scorer): string {
  const text = JSON.stringify([score_batch, onnxruntime, provider, processor]);
  return createHash('sha256').update(text).digest('hex').slice(0, SCORER_ID_DIGITS);
}

/** `score-batch 0.1.0, ONNX Runtime 1.30.0, cpu on x64 avx2 fma` */
export function showScorer({ score_batch, onnxruntime, provider, processor }: Scorer): string {
  return `score-batch ${score_batch}, ONNX Runtime ${onnxruntime}, ${provider} on ${processor}`;
}
