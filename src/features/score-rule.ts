import { type Rejection, rejection } from './rejection.ts';

const MILLION = 1_000_000;
const NOT_FINITE = rejection('score is not a finite number');
const OUTSIDE = rejection('score outside 0 to 1');

/** A model's value in millionths, rounded; not finite if the value is not, or is too large. */
export function millionthsOf(value: number): number {
  return Math.round(value * MILLION);
}

/**
 * Whether a model's value is a score. It is rounded before the range check, because a sum of probabilities may be 1.0000001.
 *
 * @param millionths from `millionthsOf`
 * @returns 0 for a score
 */
export function refuseScore(millionths: number): Rejection {
  if (millionths >= 0 && millionths <= MILLION) return 0;
  return Number.isFinite(millionths) ? OUTSIDE : NOT_FINITE;
}

/**
 * Rejects each row with a value that is not a score. If a model predicts classes, one bad probability makes the row's others
 * doubtful, too, online and in batches alike, whichever class is the score.
 *
 * @param values row-major, `width` per row; further rows are padding
 * @param rejected one `Rejection` per row; set if it is still 0
 */
export function refuseRows(values: Float32Array | Float64Array, width: number, rejected: Int32Array): void {
  for (let row = 0, at = 0; row < rejected.length; row += 1) {
    for (const end = at + width; at < end; at += 1) {
      const refused = refuseScore(millionthsOf(values[at] as number));
      if (refused !== 0) rejected[row] ||= refused;
    }
  }
}
