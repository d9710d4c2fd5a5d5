import { MILLION, type OutcomeCounts, totalsOf } from './counts.ts';

const BINS = 10;

/** Users with similar scores. */
export interface Bin {
  /** From 1; for calibration bins 1 has the lowest scores, for deciles the highest. */
  readonly bin: number;
  readonly users: number;
  readonly positives: number;
  /** Mean score of the users, 0 to 1. */
  readonly meanScore: number;
}

/** Mean squared difference between score and outcome (Brier 1950); undefined without users. */
export function brierScore(counts: OutcomeCounts): number | undefined {
  let sum = 0;
  for (const [i, millionths] of counts.scores.entries()) {
    const score = millionths / MILLION;
    sum += (counts.positives[i] ?? 0) * (1 - score) ** 2 + (counts.negatives[i] ?? 0) * score ** 2;
  }
  const { users } = totalsOf(counts);
  return users === 0 ? undefined : sum / users;
}

/** Mean score, 0 to 1; undefined without users. */
export function meanScore(counts: OutcomeCounts): number | undefined {
  let sum = 0;
  for (const [i, millionths] of counts.scores.entries())
    sum += ((counts.positives[i] ?? 0) + (counts.negatives[i] ?? 0)) * millionths;
  const { users } = totalsOf(counts);
  return users === 0 ? undefined : sum / users / MILLION;
}

/**
 * Ten bins of about equal numbers of users by rising score. Users with equal scores stay together, in the bin of the middle one
 * of them. So if many scores are equal, there are fewer bins, and their numbers have gaps.
 */
export function calibrationBins(counts: OutcomeCounts): Bin[] {
  const { users } = totalsOf(counts);
  const bins = new Map<number, { users: number; positives: number; millionths: number }>();
  let below = 0;
  for (const [i, millionths] of counts.scores.entries()) {
    const positives = counts.positives[i] ?? 0;
    const here = positives + (counts.negatives[i] ?? 0);
    const number = Math.min(BINS, Math.floor((BINS * (2 * below + here)) / (2 * users)) + 1);
    const bin = bins.get(number) ?? { users: 0, positives: 0, millionths: 0 };
    bins.set(number, {
      users: bin.users + here,
      positives: bin.positives + positives,
      millionths: bin.millionths + here * millionths,
    });
    below += here;
  }
  return [...bins].map(([bin, { users: here, positives, millionths }]) => ({
    bin,
    users: here,
    positives,
    meanScore: millionths / here / MILLION,
  }));
}

/** Absolute difference between a bin's mean score and its share of positives. */
export function binError({ users, positives, meanScore: mean }: Bin): number {
  return Math.abs(mean - positives / users);
}

/** Mean of the bins' errors, weighted by their users; undefined without users. */
export function calibrationError(bins: readonly Bin[]): number | undefined {
  const users = bins.reduce((sum, bin) => sum + bin.users, 0);
  return users === 0 ? undefined : bins.reduce((sum, bin) => sum + bin.users * binError(bin), 0) / users;
}
