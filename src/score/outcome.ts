import { rejection } from '../features/rejection.ts';
import type { OutputValues } from '../runtime/session.ts';

const MILLION = 1_000_000;

/**
 * Extracts the scores of a batch from the model's output. Each score is rounded once, here; everything after computes with
 * millionths.
 *
 * @param output values of the model, `width` per row; the score is at `index`
 * @param scores receives millionths, one per row; unchanged for rejected rows
 * @param rejected one `Rejection` per row; set if it is still 0 and the score is not between 0 and 1
 */
export function takeScores({ values, width }: OutputValues, index: number, scores: Int32Array, rejected: Int32Array): void {
  const notFinite = rejection('score is not a finite number');
  const outside = rejection('score outside 0 to 1');
  for (let row = 0, at = index; row < scores.length; row += 1, at += width) {
    // Rounded before the range check, because a sum of probabilities may be 1.0000001.
    const score = Math.round((values[at] as number) * MILLION);
    if (score >= 0 && score <= MILLION) scores[row] = score;
    else rejected[row] ||= Number.isFinite(score) ? outside : notFinite;
  }
}
