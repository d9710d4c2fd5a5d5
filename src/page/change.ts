import type { SegmentChange, Totals } from './page-data.ts';

/** How much of a change in expected users is due to the number of users, and how much to their scores. */
interface Effects {
  /** (n₁ − n₀) · m₀ */
  readonly size: number;
  /** n₁ · (m₁ − m₀) */
  readonly risk: number;
}

export interface Change extends Effects {
  /** n₁m₁ − n₀m₀, which is size + risk. */
  readonly total: number;
  readonly values: readonly (SegmentChange & Effects)[];
}

/**
 * Splits the change of Σ n·m over the values of a segment (n users, mean score m) into Σ (n₁ − n₀)·m₀ for size and Σ n₁(m₁ −
 * m₀) for risk. A shift towards riskier values counts as size, since their numbers change. A value that did not exist before
 * has no m₀: all that it adds is size.
 */
export function splitChange(values: readonly SegmentChange[]): Change {
  const split = values.map((one) => ({ ...one, ...effectsOf(one) }));
  const size = split.reduce((sum, one) => sum + one.size, 0);
  const risk = split.reduce((sum, one) => sum + one.risk, 0);
  const total = values.reduce((sum, { now, before }) => sum + now.expected - before.expected, 0);
  return { size, risk, total, values: split };
}

/** Mean score; undefined without users. */
export function meanScore({ users, expected }: Totals): number | undefined {
  return users === 0 ? undefined : expected / users;
}

function effectsOf({ now, before }: Pick<SegmentChange, 'now' | 'before'>): Effects {
  const mean = meanScore(before);
  if (mean === undefined) return { size: now.expected - before.expected, risk: 0 };
  return { size: (now.users - before.users) * mean, risk: now.expected - now.users * mean };
}
