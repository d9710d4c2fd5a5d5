import type { Signature } from '../domain/signature.ts';
import { millionthsOf, refuseRows, refuseScore } from '../features/score-rule.ts';
import type { OutputValues } from '../runtime/session.ts';

/**
 * Extracts the scores of a batch from the model's output. Each score is rounded once, here; everything after computes with
 * millionths.
 *
 * @param output values of the model, `width` per row
 * @param signature says which of them is the score; if it has classes, a row is rejected for any of them, as online
 * @param scores receives millionths, one per row; without meaning for rejected rows
 * @param rejected one `Rejection` per row; set if it is still 0 and the score is not between 0 and 1
 */
export function takeScores(
  { values, width }: OutputValues,
  { output, classes }: Pick<Signature, 'output' | 'classes'>,
  scores: Int32Array,
  rejected: Int32Array,
): void {
  if (classes !== undefined) refuseRows(values, width, rejected);
  for (let row = 0, at = output.index; row < scores.length; row += 1, at += width) {
    const score = millionthsOf(values[at] as number);
    const refused = refuseScore(score);
    if (refused === 0) scores[row] = score;
    else rejected[row] ||= refused;
  }
}
