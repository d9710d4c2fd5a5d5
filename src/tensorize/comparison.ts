import type { InputTensor, Session } from '../runtime/session.ts';
import { refusal } from './refusal.ts';

interface Subject {
  /** Describes the rows in messages: `random rows`. */
  readonly what: string;
  readonly original: Session;
  readonly made: Session;
  readonly output: string;
  /** Position of the score in each row; without it, the whole output is compared. */
  readonly index?: number;
  readonly inputs: readonly InputTensor[];
  /** Allowed difference: absolute up to 1, relative beyond. */
  readonly tolerance: number;
}

/**
 * Runs both models on the same rows and compares their output.
 *
 * @returns the largest absolute difference
 * @throws ScoreBatchError `configuration` if values differ by more than the tolerance
 */
export async function compareModels({ what, original, made, output, index, inputs, tolerance }: Subject): Promise<number> {
  const rows = inputs[0]?.shape[0] ?? 0;
  const expected = await original.run(inputs, { name: output, index: index ?? 0 });
  const found = await made.run(inputs, { name: output, index: index ?? 0 });
  if (expected.width !== found.width)
    throw refusal(`the result gives ${found.width} values per row instead of ${expected.width}`);
  let largest = 0;
  for (let row = 0; row < rows; row += 1) {
    const columns = index === undefined ? Array.from({ length: expected.width }, (_, i) => i) : [index];
    for (const column of columns) {
      const [wanted = 0, got = 0] = [expected, found].map(({ values, width }) => values[row * width + column]);
      if (wanted === got || (Number.isNaN(wanted) && Number.isNaN(got))) continue;
      const difference = Math.abs(wanted - got);
      // No other value is close to NaN or infinity.
      if (!(difference < Infinity && difference <= tolerance * Math.max(1, Math.abs(wanted)))) {
        throw refusal(
          `on ${made.provider}, row ${row + 1} of the ${what} gives ${got} instead of ${wanted}, and the tolerance is ${tolerance}`,
          'nothing was written; please report this, with the model if you can share it',
        );
      }
      largest = Math.max(largest, difference);
    }
  }
  return largest;
}
