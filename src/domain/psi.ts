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
