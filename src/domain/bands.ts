/**
 * Bands from the highest risk down, each with its bound. Users below the last bound are in `rest`.
 * - `share`: parts per million of the scored users, by rank. Rank r of n is in the band if (r − 1) · 10^6 < n · share, so
 *   `top 10%` is exactly decile 1.
 * - `threshold`: millionths of the score. A user is in the band if score >= threshold.
 */
export interface Bands {
  readonly by: 'share' | 'threshold';
  readonly bounds: readonly { readonly name: string; readonly bound: number }[];
  readonly rest: string;
}

/** Name of the last band: everybody who is in none of the bands above it. */
export const REST_BAND = 'low';
