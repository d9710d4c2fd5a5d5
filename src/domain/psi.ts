/** A fixed histogram: bin i holds edges[i-1] <= x < edges[i]. There is one more share than edges. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly shares: readonly number[];
}

/** The usual reading in credit scoring (Siddiqi, Credit Risk Scorecards, 2006): below this index, a distribution is stable. */
export const STABLE_PSI = 0.1;

/** From this index on, the shift is major. */
export const MAJOR_PSI = 0.25;

/** Lower bound for shares in both distributions, so that an empty bin gives a large index instead of an infinite one. */
const EPSILON = 1e-4;

/**
 * Population stability index Σ (p − q) · ln(p / q) of counts p against the reference shares q. For its reading
 * see `STABLE_PSI`.
 *
 * @throws RangeError if `counts` is empty or the numbers of bins differ
 */
export function populationStabilityIndex(
  counts: readonly number[],
  reference: Partial<Histogram> & Pick<Histogram, 'shares'>,
): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError('an empty distribution has no stability index');
  if (counts.length !== reference.shares.length) throw new RangeError('the two distributions have different bins');
  return reference.shares.reduce((sum, share, bin) => {
    const p = Math.max((counts[bin] ?? 0) / total, EPSILON);
    const q = Math.max(share, EPSILON);
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}

/** Number of bins if the bundle's reference gives none. */
const BINS = 10;

/**
 * Edges that cut a distribution into ten bins of about equal shares, and the count of each bin. There are fewer bins if many
 * values are equal.
 *
 * @param fine counts of narrow bins, lowest first, each with its lower edge
 */
export function tenths(fine: readonly (readonly [edge: number, count: number])[]): {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
} {
  const total = fine.reduce((sum, [, count]) => sum + count, 0);
  const edges: number[] = [];
  const counts = [0];
  let below = 0;
  for (const [edge, count] of fine) {
    if (below > 0 && below * BINS >= total * (edges.length + 1)) {
      edges.push(edge);
      counts.push(0);
    }
    counts[edges.length] = (counts[edges.length] ?? 0) + count;
    below += count;
  }
  return { edges, counts };
}

/** Turns counts into a reference histogram. @throws RangeError if the counts are all zero */
export function histogramOf({
  edges,
  counts,
}: {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}): Histogram {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError('an empty distribution cannot be a reference');
  return { edges, shares: counts.map((count) => count / total) };
}
