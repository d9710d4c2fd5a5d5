import { rejection } from '../features/rejection.ts';

const MILLION = 1_000_000;

/**
 * Takes the scores of a batch out of the model's output. Each score is rounded here, once; everything after computes with the
 * millionths.
 *
 * @param values output of the model, `width` values per row of which `index` is the score
 * @param scores millionths, one per row; left as it is where the row is rejected
 * @param rejected see `Rejection`; set where it is still 0 and the score is no probability
 */
export function takeScores(
  values: Float32Array | Float64Array,
  width: number,
  index: number,
  scores: Int32Array,
  rejected: Int32Array,
): void {
  const notFinite = rejection('score is not a finite number');
  const outside = rejection('score outside 0 to 1');
  for (let row = 0, at = index; row < scores.length; row += 1, at += width) {
    // Rounded before it is judged: a sum of probabilities may be 1.0000001.
    const score = Math.round((values[at] as number) * MILLION);
    if (score >= 0 && score <= MILLION) scores[row] = score;
    else rejected[row] ||= Number.isFinite(score) ? outside : notFinite;
  }
}
