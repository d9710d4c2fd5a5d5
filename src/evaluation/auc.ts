import { type OutcomeCounts, totalsOf } from './counts.ts';

/** Area under the ROC curve with a 95 % confidence interval. */
export interface Auc {
  /** Share of the pairs of a positive and a negative in which the positive has the higher score; ties count half. */
  readonly auc: number;
  /** Bounds of the interval, within 0 to 1; undefined if the users do not determine one. */
  readonly interval: readonly [low: number, high: number] | undefined;
}

/** 97.5 % quantile of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * AUC with DeLong's interval (DeLong, DeLong & Clarke-Pearson 1988), computed from midranks (Sun & Xu 2014): the placement of a
 * positive is the share of negatives below it, that of a negative the share of positives above it, and equal scores count half.
 * The variance of the AUC is the variance of the placements of either class, divided by its size.
 *
 * @returns undefined if all users are of one class. There is no interval if a class has fewer than two users, or if all
 *   placements are equal (an AUC of 0 or 1, or all scores equal), since then the variance would be 0.
 */
export function measureAuc(counts: OutcomeCounts): Auc | undefined {
  const { positives, negatives } = totalsOf(counts);
  if (positives === 0 || negatives === 0) return undefined;
  // Twice the number of ordered pairs is an integer, so the AUC is exact.
  let pairs = 0;
  forPlacements(counts, (ones, zeros, { below }) => {
    pairs += ones * (2 * below + zeros);
  });
  const auc = pairs / (2 * positives * negatives);
  return { auc, interval: intervalOf(counts, auc, { positives, negatives }) };
}

interface Classes {
  readonly positives: number;
  readonly negatives: number;
}

function intervalOf(counts: OutcomeCounts, auc: number, classes: Classes): Auc['interval'] {
  const variance = varianceOf(counts, auc, classes);
  return variance === undefined ? undefined : intervalAround(auc, variance, [0, 1]);
}

/** 95 % interval of a normal distribution, within bounds. */
export function intervalAround(
  value: number,
  variance: number,
  [least, most]: readonly [least: number, most: number],
): readonly [low: number, high: number] {
  const half = Z * Math.sqrt(variance);
  return [Math.max(least, value - half), Math.min(most, value + half)];
}

/** DeLong's variance of the AUC; undefined if `measureAuc` has no interval. */
export function aucVariance(counts: OutcomeCounts, auc: number): number | undefined {
  return varianceOf(counts, auc, totalsOf(counts));
}

function varianceOf(counts: OutcomeCounts, auc: number, { positives, negatives }: Classes): number | undefined {
  if (positives < 2 || negatives < 2 || auc === 0 || auc === 1) return undefined;
  let [ofPositives, ofNegatives] = [0, 0];
  forPlacements(counts, (ones, zeros, { below, above }) => {
    ofPositives += ones * ((below + zeros / 2) / negatives - auc) ** 2;
    ofNegatives += zeros * ((above + ones / 2) / positives - auc) ** 2;
  });
  const variance = ofPositives / (positives - 1) / positives + ofNegatives / (negatives - 1) / negatives;
  return variance === 0 ? undefined : variance;
}

/** Visits each distinct score with its numbers of positives and negatives, of negatives below and of positives above. */
function forPlacements(
  counts: OutcomeCounts,
  visit: (positives: number, negatives: number, others: { readonly below: number; readonly above: number }) => void,
): void {
  let below = 0;
  let above = totalsOf(counts).positives;
  for (let i = 0; i < counts.scores.length; i += 1) {
    const [ones, zeros] = [counts.positives[i] ?? 0, counts.negatives[i] ?? 0];
    above -= ones;
    visit(ones, zeros, { below, above });
    below += zeros;
  }
}
