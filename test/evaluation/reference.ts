import type { OutcomeCounts } from '../../src/evaluation/counts.ts';

/** A user as the quadratic reference sees it. */
export interface Scored {
  /** Millionths. */
  readonly score: number;
  readonly cameTrue: boolean;
}

/** Counts by distinct score, made in another way than by `countOutcomes`. */
export function countsOf(users: readonly Scored[]): OutcomeCounts {
  const scores = [...new Set(users.map(({ score }) => score))].sort((a, b) => a - b);
  const count = (cameTrue: boolean) =>
    Float64Array.from(scores, (score) => users.filter((user) => user.score === score && user.cameTrue === cameTrue).length);
  return { scores: Int32Array.from(scores), positives: count(true), negatives: count(false) };
}

/** The kernel of the Mann-Whitney statistic. */
function psi(positive: number, negative: number): number {
  return positive > negative ? 1 : positive === negative ? 0.5 : 0;
}

/** AUC and DeLong's variance over all pairs, as in the paper of 1988: quadratic, and without midranks. */
export function quadraticAuc(users: readonly Scored[]): { auc: number; variance: number } {
  const positives = users.filter(({ cameTrue }) => cameTrue).map(({ score }) => score);
  const negatives = users.filter(({ cameTrue }) => !cameTrue).map(({ score }) => score);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const v10 = positives.map((x) => mean(negatives.map((y) => psi(x, y))));
  const v01 = negatives.map((y) => mean(positives.map((x) => psi(x, y))));
  const auc = mean(v10);
  const spread = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + (value - auc) ** 2, 0) / (values.length - 1);
  return { auc, variance: spread(v10) / positives.length + spread(v01) / negatives.length };
}
