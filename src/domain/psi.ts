/** A frozen histogram: bin i holds edges[i-1] <= x < edges[i]; there is one share more than edges. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly shares: readonly number[];
}

/** Shares below this count as this, in both distributions, so that an empty bin gives a large and not an infinite index. */
const EPSILON = 1e-4;

/**
 * Population stability index Σ (p − q) · ln(p / q) of counts p against the reference shares q; the usual reading in credit
 * scoring: below 0.1 stable, above 0.25 a major shift (Siddiqi, Credit Risk Scorecards, 2006).
 *
 * @throws RangeError where there is nothing to compare, or the numbers of bins differ.
 */
export function populationStabilityIndex(counts: readonly number[], reference: Histogram): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError('an empty distribution has no stability index');
  if (counts.length !== reference.shares.length) throw new RangeError('the two distributions have different bins');
  return reference.shares.reduce((sum, share, bin) => {
    const p = Math.max((counts[bin] ?? 0) / total, EPSILON);
    const q = Math.max(share, EPSILON);
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}

/** Number of bins that a distribution is cut into where nobody has said how. */
const BINS = 10;

/**
 * Edges that cut a distribution into ten bins of about equal shares, fewer where many values are equal, and what is in each.
 *
 * @param fine counts of narrow bins, lowest first, by the edge at which each begins
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

/** Counts as a histogram to compare others with. @throws RangeError where there is nothing in it */
export function histogramOf({
  edges,
  counts,
}: {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}): Histogram {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError('an empty distribution is no reference');
  return { edges, shares: counts.map((count) => count / total) };
}
