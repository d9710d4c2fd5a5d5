import { ScoreBatchError } from '../errors.ts';
import { amount, span } from './amounts.ts';
import { batchIsWithin, cheapestWithin } from './intervals.ts';
import type { Profile } from './profile.ts';

/** Which interval keeps rows as fresh as requested. */
export interface Freshness {
  readonly target_seconds: number;
  /** Whether the batch, as it runs today, suffices. */
  readonly batch_is_enough: boolean;
  /** Minutes; null if the batch suffices. */
  readonly interval_minutes: number | null;
}

/**
 * @param targetSeconds the greatest age of a row before it is scored
 * @returns undefined without a fitted line
 * @throws ScoreBatchError `usage` for a target that no interval meets
 */
export function freshnessOf({ batch, intervals }: Profile, targetSeconds: number): Freshness | undefined {
  const [shortest] = intervals;
  if (batch === undefined || shortest === undefined) return undefined;
  if (batchIsWithin(batch, targetSeconds))
    return { target_seconds: targetSeconds, batch_is_enough: true, interval_minutes: null };
  const found = cheapestWithin(intervals, targetSeconds);
  if (found !== undefined) return { target_seconds: targetSeconds, batch_is_enough: false, interval_minutes: found.minutes };
  const target = span(targetSeconds / 60);
  const feasible = intervals.find(({ minutes, seconds_at_most }) => seconds_at_most <= minutes * 60);
  throw new ScoreBatchError('usage', `no interval keeps every row younger than ${target}`, {
    details: [
      `a slice of ${span(shortest.minutes)}, the shortest interval, takes ${amount(shortest.seconds)} s, at most ${amount(shortest.seconds_at_most)} s`,
    ],
    hint:
      feasible === undefined
        ? 'at every interval, a slice takes longer than the interval; make runs faster first: `score-batch profile` shows the bottleneck'
        : `the shortest interval that works is every ${span(feasible.minutes)}: use --freshness ${Math.ceil(feasible.oldest_seconds / 60)}m`,
  });
}
