import { aucVariance, intervalAround, measureAuc } from './auc.ts';
import type { OutcomeCounts } from './counts.ts';

/** Users with two scores each, in millionths, and their outcomes. */
export interface PairedUsers {
  readonly size: number;
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** 1 if the outcome came true. */
  readonly cameTrue: Uint8Array;
}

/** AUC of B − AUC of A, with its 95 % interval. */
export interface AucDifference {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Counts the users by one of their scores. */
export function countPaired({ size, cameTrue, ...users }: PairedUsers, side: 'a' | 'b'): OutcomeCounts {
  const scores = users[side].subarray(0, size);
  const { positives, negatives } = countByScore(scores, cameTrue);
  const distinct: number[] = [];
  for (let score = 0; score < positives.length; score += 1)
    if ((positives[score] ?? 0) + (negatives[score] ?? 0) > 0) distinct.push(score);
  const of = (counts: Float64Array) => Float64Array.from(distinct, (score) => counts[score] ?? 0);
  return { scores: Int32Array.from(distinct), positives: of(positives), negatives: of(negatives) };
}

/**
 * Difference of two AUCs over the same users (DeLong, DeLong & Clarke-Pearson 1988). Its variance is that of the differences of
 * the users' placements, per class and divided by the class's size, so what both scores have in common cancels out. Placements
 * are found by counting scores, so this takes linear time.
 *
 * @returns undefined if a class has no users. The interval is the value itself if both scores rank alike.
 */
export function pairedAucDifference({ size, a, b, cameTrue }: PairedUsers): AucDifference | undefined {
  const [ofA, ofB] = [placements(a.subarray(0, size), cameTrue), placements(b.subarray(0, size), cameTrue)];
  const [positives, negatives] = [new Spread(), new Spread()];
  for (let i = 0; i < size; i += 1) {
    const [one, other] = [a[i] ?? 0, b[i] ?? 0];
    // Twice a placement times the size of the other class is an integer, so the sums are exact.
    if (cameTrue[i] === 1) positives.add((ofB.ofPositive[other] ?? 0) - (ofA.ofPositive[one] ?? 0));
    else negatives.add((ofB.ofNegative[other] ?? 0) - (ofA.ofNegative[one] ?? 0));
  }
  if (positives.count === 0 || negatives.count === 0) return undefined;
  const value = positives.sum / (2 * positives.count * negatives.count);
  if (positives.count < 2 || negatives.count < 2) return undefined;
  const variance =
    positives.variance / (2 * negatives.count) ** 2 / positives.count +
    negatives.variance / (2 * positives.count) ** 2 / negatives.count;
  const [low, high] = intervalAround(value, variance, [-1, 1]);
  return { value, low, high };
}

/**
 * Difference of two AUCs over different users, who are independent, so the variances add up.
 *
 * @returns undefined if an AUC or its variance is not determined
 */
export function unpairedAucDifference(a: OutcomeCounts, b: OutcomeCounts): AucDifference | undefined {
  const [one, other] = [measureAuc(a), measureAuc(b)];
  if (one === undefined || other === undefined) return undefined;
  const variances = [aucVariance(a, one.auc), aucVariance(b, other.auc)] as const;
  if (variances[0] === undefined || variances[1] === undefined) return undefined;
  const value = other.auc - one.auc;
  const [low, high] = intervalAround(value, variances[0] + variances[1], [-1, 1]);
  return { value, low, high };
}

/** Sample variance of integers. */
class Spread {
  count = 0;
  sum = 0;
  #squares = 0;

  add(value: number): void {
    this.count += 1;
    this.sum += value;
    this.#squares += value * value;
  }

  get variance(): number {
    return Math.max(0, this.#squares - (this.sum * this.sum) / this.count) / (this.count - 1);
  }
}

function countByScore(scores: Int32Array, cameTrue: Uint8Array) {
  // Only as long as the highest score requires; at most a million and one.
  const length = scores.reduce((most, score) => Math.max(most, score), 0) + 1;
  const [positives, negatives] = [new Float64Array(length), new Float64Array(length)];
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] ?? 0;
    const counts = cameTrue[i] === 1 ? positives : negatives;
    counts[score] = (counts[score] ?? 0) + 1;
  }
  return { positives, negatives };
}

/**
 * Per score: twice the number of negatives below a positive, ties counted half; and twice the number of positives above a
 * negative.
 */
function placements(scores: Int32Array, cameTrue: Uint8Array) {
  const { positives, negatives } = countByScore(scores, cameTrue);
  const [ofPositive, ofNegative] = [new Float64Array(positives.length), new Float64Array(positives.length)];
  let below = 0;
  let above = positives.reduce((sum, count) => sum + count, 0);
  for (let score = 0; score < positives.length; score += 1) {
    const [ones, zeros] = [positives[score] ?? 0, negatives[score] ?? 0];
    above -= ones;
    ofPositive[score] = 2 * below + zeros;
    ofNegative[score] = 2 * above + ones;
    below += zeros;
  }
  return { ofPositive, ofNegative };
}
