import { millionthsOf, refuseScore } from '../features/score-rule.ts';
import type { OutputValues } from '../runtime/session.ts';

/**
 * Extracts the scores of a batch from the model's output. Each score is rounded once, here; everything after computes with
 * millionths.
 *
 * @param output values of the model, `width` per row; the score is at `index`
 * @param scores receives millionths, one per row; unchanged for rejected rows
 * @param rejected one `Rejection` per row; set if it is still 0 and the score is not between 0 and 1
 */
export function takeScores({ values, width }: OutputValues, index: number, scores: Int32Array, rejected: Int32Array): void {
  for (let row = 0, at = index; row < scores.length; row += 1, at += width) {
    const score = millionthsOf(values[at] as number);
    const refused = refuseScore(score);
    if (refused === 0) scores[row] = score;
    else rejected[row] ||= refused;
  }
}
