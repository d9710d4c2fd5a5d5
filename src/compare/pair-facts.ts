/** Facts about the users of both sides, in whole millionths; computed by SQL or from two streams. */
export interface PairFacts {
  /** Users in both. */
  readonly users: number;
  /** Sums of B − A, and of its absolute value. */
  readonly change: number;
  readonly absolute: number;
  readonly largestChange: number;
  readonly equal: number;
  readonly muchHigher: number;
  readonly muchLower: number;
  readonly quantiles: readonly (number | undefined)[];
  readonly moves: readonly { readonly from: string; readonly to: string; readonly users: number }[];
  /** Number of users in the riskiest tenth of both sides; can be a fraction, see `overlapOf`. */
  readonly overlap: number;
  /** Undefined if all scores of a side are equal, or there are fewer than two users. */
  readonly spearman: number | undefined;
  readonly largest: readonly { readonly key: readonly string[]; readonly a: number; readonly b: number }[];
}

/** A larger difference, in millionths, is called much higher or lower. */
export const MUCH = 100_000;

/** Quantiles of scores and differences, in percent. */
export const PERCENTS = [1, 5, 25, 50, 75, 95, 99] as const;

/** The border of the highest scores: they include all users above it, and `taken` of the `tied` users at it. */
export interface Border {
  readonly millionths: number;
  readonly taken: number;
  readonly tied: number;
}

/** Numbers of users above or at the borders of both sides. */
export interface AtBorders {
  readonly bothAbove: number;
  readonly aAboveBAt: number;
  readonly aAtBAbove: number;
  readonly bothAt: number;
}

/** Number of users in the riskiest tenth: as many as are in decile 1. */
export function tenthOf(users: number): number {
  return Math.ceil(users / 10);
}

/**
 * Overlap of two sets of highest scores. Users tied at a border belong to its set in proportion to the share that fits, and to
 * both sets by the smaller of the two shares. So equal scores have an overlap of 1, however ties are broken.
 */
export function overlapOf(a: Border, b: Border, { bothAbove, aAboveBAt, aAtBAbove, bothAt }: AtBorders): number {
  const [shareA, shareB] = [a.taken / a.tied, b.taken / b.tied];
  return bothAbove + aAboveBAt * shareB + aAtBAbove * shareA + bothAt * Math.min(shareA, shareB);
}
