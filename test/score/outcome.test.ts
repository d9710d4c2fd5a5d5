import { expect, it } from 'vitest';
import { readRejection, rejection } from '../../src/features/rejection.ts';
import { takeScores } from '../../src/score/outcome.ts';

const ROWS = [
  [0.1, 0.2, 0.7],
  [Number.NaN, 0.5, 0.5],
  [0.3, 0.4, 1.1],
  [-1, 0.4, Number.POSITIVE_INFINITY],
  [-4e-7, 0.4, 1.0000004],
  [0.5, -0.1, 0.6],
  [0.2, Number.NaN, 0.2],
];
const LABELS = { label: undefined, probabilities: 'p', labels: ['a', 'b', 'c'] };

/** Millionths, or the reason, per row. */
function taken(classes?: typeof LABELS): (number | string | undefined)[] {
  const scores = new Int32Array(ROWS.length);
  const rejected = new Int32Array(ROWS.length);
  rejected[6] = rejection('unknown category', 3);
  const values = { values: Float64Array.from(ROWS.flat()), width: 3 };
  takeScores(values, { output: { name: 'p', index: 1 }, ...(classes && { classes }) }, scores, rejected);
  return ROWS.map((_, row) => (rejected[row] === 0 ? scores[row] : readRejection(rejected[row] ?? 0).reason));
}

it('rejects a row for its score alone if the bundle has one score, and for any class if it has classes', () => {
  const [outside, notFinite] = ['score outside 0 to 1', 'score is not a finite number'];
  expect(taken()).toEqual([200_000, 500_000, 400_000, 400_000, 400_000, outside, 'unknown category']);
  // The first class that is none gives the reason, as online.
  expect(taken(LABELS)).toEqual([200_000, notFinite, outside, outside, 400_000, outside, 'unknown category']);
});
