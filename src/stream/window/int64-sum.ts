import type { FeatureValue } from '../event.ts';

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;
const EXACT = 2n ** 53n;

/** A sum as features show it: a number within 2^53, else a bigint; undefined beyond int64. */
export function toSum(sum: bigint): number | bigint | undefined {
  if (sum < LEAST || sum > GREATEST) return undefined;
  return sum >= -EXACT && sum <= EXACT ? Number(sum) : sum;
}

/** double(sum) / double(count) */
export function toMean(sum: number | bigint | undefined, count: number): FeatureValue | undefined {
  return sum === undefined ? undefined : Number(sum) / count;
}
