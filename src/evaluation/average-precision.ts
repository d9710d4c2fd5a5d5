import { type OutcomeCounts, totalsOf } from './counts.ts';

/**
 * Average precision Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores from the highest down, as scikit-learn's
 * `average_precision_score`: without interpolation, and equal scores count as one threshold.
 *
 * @returns undefined if all users are of one class
 */
export function averagePrecision(counts: OutcomeCounts): number | undefined {
  const totals = totalsOf(counts);
  if (totals.positives === 0 || totals.negatives === 0) return undefined;
  let [found, called, area] = [0, 0, 0];
  for (let i = counts.scores.length - 1; i >= 0; i -= 1) {
    const ones = counts.positives[i] ?? 0;
    found += ones;
    called += ones + (counts.negatives[i] ?? 0);
    area += ones * (found / called);
  }
  return area / totals.positives;
}
