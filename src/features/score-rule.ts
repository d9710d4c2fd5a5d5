import { type Rejection, rejection } from './rejection.ts';

const MILLION = 1_000_000;
const NOT_FINITE = rejection('score is not a finite number');
const OUTSIDE = rejection('score outside 0 to 1');

/** A value of the model as a whole number of millionths; not finite if the value is not, or is too large. */
export function millionthsOf(value: number): number {
  return Math.round(value * MILLION);
}

/**
 * Whether a value of the model is a score. It is rounded before the range check, because a sum of probabilities may be 1.0000001.
 *
 * @param millionths of `millionthsOf`
 * @returns 0 for a score
 */
export function refuseScore(millionths: number): Rejection {
  if (millionths >= 0 && millionths <= MILLION) return 0;
  return Number.isFinite(millionths) ? OUTSIDE : NOT_FINITE;
}
