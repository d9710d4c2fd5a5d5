import type { Histogram } from '../domain/psi.ts';
import type { PageData, SegmentBands, Totals } from './page-data.ts';
import type { PublishedWindow } from './published-windows.ts';
import { readHistogram, type Scores } from './score-sql.ts';

/** Bins of the scores if the bundle has no reference. */
const TENTHS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Shares of the scores per bin of the reference, or per tenth of the range without one. */
export async function readDistribution(
  scores: Scores,
  { now, before }: { readonly now: PublishedWindow; readonly before: PublishedWindow | undefined },
  reference: Histogram | undefined,
): Promise<PageData['distribution']> {
  const edges = reference?.edges ?? TENTHS;
  const shares = async (window: PublishedWindow): Promise<number[]> => {
    const counts = await readHistogram(scores, window, edges);
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (all === 0 ? 0 : count / all));
  };
  return {
    edges,
    now: await shares(now),
    before: before && (await shares(before)),
    reference: reference?.shares,
  };
}

/**
 * Share of the variance of the scores between the bands (eta squared): Σ n_b (m_b − m)² / Σ (s − m)².
 *
 * @param squares sum of the squared scores
 */
export function explainedByBands(all: Totals, bands: SegmentBands['bands'], squares: number): number | undefined {
  if (all.users === 0) return undefined;
  const mean = all.expected / all.users;
  const whole = squares - all.users * mean * mean;
  // Scores have six decimals, so a smaller variance is the rounding error of this subtraction.
  if (whole / all.users < 1e-12) return undefined;
  const between = bands.reduce((sum, { users, expected }) => sum + users * (expected / users - mean) ** 2, 0);
  return Math.min(1, between / whole);
}
