import type { Histogram } from '../domain/psi.ts';

/** Bins of about equal shares. */
const BINS = 10;

/**
 * A histogram of about ten bins of equal shares. Each edge lies between two values that occur, so that rounding never moves a
 * value over it; values that occur often make fewer bins.
 *
 * @param values in ascending order, without NaN, at least one
 * @param bounds between which an edge must lie
 */
export function quantileHistogram(values: Float64Array, bounds: readonly [number, number] = [-Infinity, Infinity]): Histogram {
  const edges = edgesOf(values, bounds);
  const counts = new Array<number>(edges.length + 1).fill(0);
  let bin = 0;
  for (const value of values) {
    while (bin < edges.length && value >= (edges[bin] as number)) bin += 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, shares: counts.map((count) => Number((count / values.length).toFixed(9))) };
}

function edgesOf(values: Float64Array, [least, most]: readonly [number, number]): number[] {
  const seen = new Float64Array(new Set(values));
  const [first = 0] = seen;
  // Of one value, what matters is that others are not it.
  if (seen.length === 1) {
    const room = Math.max(Math.abs(first) * 0.05, 0.05);
    return [Math.max(least, first - room), Math.min(most, first + room)];
  }
  const below = new Set<number>();
  for (let i = 1; i < BINS; i += 1) {
    const quantile = values[Math.ceil((i / BINS) * (values.length - 1))] ?? first;
    const at = indexOf(seen, quantile);
    if (at > 0) below.add(at);
  }
  // Where the least value has nearly all rows, it is told from the others.
  if (below.size === 0) below.add(1);
  return [...below].map((at) => between(seen[at - 1] ?? 0, seen[at] ?? 0));
}

/** Position of a value in sorted values that have it. */
function indexOf(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The shortest number near the middle of two; the upper one where nothing is between. */
function between(low: number, high: number): number {
  const middle = low / 2 + high / 2;
  for (let digits = 3; digits <= 17; digits += 1) {
    const short = Number(middle.toPrecision(digits));
    if (low < short && short < high) return short;
  }
  return high;
}
