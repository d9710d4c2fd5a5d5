/**
 * Bands from the riskiest down, each with its bound; users below the last one are in `rest`.
 * - `share`: in parts per million of the scored users, by rank. Rank r of n is inside while (r − 1) · 10^6 < n · share, so
 *   `top 10%` is exactly decile 1.
 * - `threshold`: in millionths of the score, inside while score >= threshold.
 */
export interface Bands {
  readonly by: 'share' | 'threshold';
  readonly bounds: readonly { readonly name: string; readonly bound: number }[];
  readonly rest: string;
}

/** Name of the band of everybody who is in no band above. */
export const REST_BAND = 'low';
