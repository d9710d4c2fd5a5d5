import { expect } from 'vitest';
import { measure } from '../../../src/evaluation/measures.ts';

/** A case as measure.py writes it. */
interface Case {
  readonly name: string;
  readonly scores: readonly number[];
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
  readonly roc_auc_score: number;
  readonly average_precision_score: number;
  readonly brier_score_loss: number;
}

/** Compares our measures with scikit-learn's. @returns the number of cases */
export function compareWithSklearn(json: string): number {
  const cases = JSON.parse(json) as Case[];
  for (const { name, scores, positives, negatives, ...expected } of cases) {
    const found = measure({
      scores: Int32Array.from(scores),
      positives: Float64Array.from(positives),
      negatives: Float64Array.from(negatives),
    });
    const pairs = {
      roc_auc_score: found.auc,
      average_precision_score: found.averagePrecision,
      brier_score_loss: found.brier,
    };
    for (const [measureName, value = Number.NaN] of Object.entries(pairs))
      expect(Math.abs(value - expected[measureName as keyof typeof expected]), `${name}: ${measureName}`).toBeLessThan(1e-9);
  }
  return cases.length;
}
