import type { Histogram } from '../domain/psi.ts';

/** Number of bins with about equal shares. */
const BINS = 10;

/**
 * A histogram with about ten bins of equal shares; frequent values make fewer bins. Each edge is between two values that occur,
 * so rounding never moves a value across it.
 *
 * @param values at least one, in ascending order, without NaN
 * @param bounds limits of the edges
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
  // With a single value, put edges around it to tell it from others.
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
  // If nearly all rows have the smallest value, separate it from the others.
  if (below.size === 0) below.add(1);
  return [...below].map((at) => between(seen[at - 1] ?? 0, seen[at] ?? 0));
}

/** Position of a value in a sorted array that contains it. */
function indexOf(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A short number near the middle of two; the upper one if no number is between. */
function between(low: number, high: number): number {
  const middle = low / 2 + high / 2;
  for (let digits = 3; digits <= 17; digits += 1) {
    const short = Number(middle.toPrecision(digits));
    if (low < short && short < high) return short;
  }
  return high;
}
