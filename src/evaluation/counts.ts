import type { ContactGroup, UserGroup } from './users.ts';

/** Published scores are whole millionths, so users with equal scores are counted together. */
export const MILLION = 1_000_000;

/** Users counted by their score: one entry per distinct score, ascending. A positive is a user whose outcome came true. */
export interface OutcomeCounts {
  /** Scores in millionths, 0 to 1,000,000, strictly ascending. */
  readonly scores: Int32Array;
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

export interface Totals {
  readonly users: number;
  readonly positives: number;
  readonly negatives: number;
}

/** Counts the users of a group by their score. @param contact users to count */
export function countOutcomes(group: UserGroup, contact: ContactGroup): OutcomeCounts {
  const distinct: { score: number; positives: number; negatives: number }[] = [];
  let last: (typeof distinct)[number] | undefined;
  for (let i = 0; i < group.size; i += 1) {
    if (!group.isIn(i, contact)) continue;
    const score = group.score(i);
    if (last?.score !== score) {
      last = { score, positives: 0, negatives: 0 };
      distinct.push(last);
    }
    if (group.cameTrue(i)) last.positives += 1;
    else last.negatives += 1;
  }
  return {
    scores: Int32Array.from(distinct, ({ score }) => score),
    positives: Float64Array.from(distinct, ({ positives }) => positives),
    negatives: Float64Array.from(distinct, ({ negatives }) => negatives),
  };
}

export function totalsOf({ positives, negatives }: OutcomeCounts): Totals {
  const [ones, zeros] = [sum(positives), sum(negatives)];
  return { users: ones + zeros, positives: ones, negatives: zeros };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
