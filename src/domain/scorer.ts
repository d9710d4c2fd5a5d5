import { createHash } from 'node:crypto';

/** All that may change a score besides model, description and features. Two scorers that differ in it may differ in a last bit. */
export interface Scorer {
  /** Version of score-batch. */
  readonly score_batch: string;
  readonly onnxruntime: string;
  /** Execution provider that served. */
  readonly provider: string;
  /** Architecture, and the instruction sets by which ONNX Runtime chooses its kernels. */
  readonly processor: string;
}

/** Digits of a scorer's id, hex. */
export const SCORER_ID_DIGITS = 8;

/** A short name for a scorer: equal where all of it is. */
export function scorerId({ score_batch, onnxruntime, provider, processor }: Scorer): string {
  const text = JSON.stringify([score_batch, onnxruntime, provider, processor]);
  return createHash('sha256').update(text).digest('hex').slice(0, SCORER_ID_DIGITS);
}

/** `score-batch 0.1.0, ONNX Runtime 1.30.0, cpu on x64 avx2 fma` */
export function showScorer({ score_batch, onnxruntime, provider, processor }: Scorer): string {
  return `score-batch ${score_batch}, ONNX Runtime ${onnxruntime}, ${provider} on ${processor}`;
}
