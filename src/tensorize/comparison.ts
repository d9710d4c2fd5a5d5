import type { InputTensor, Session } from '../runtime/session.ts';
import { refusal } from './refusal.ts';

interface Subject {
  /** What is compared, for the message: `random rows`. */
  readonly what: string;
  readonly original: Session;
  readonly made: Session;
  readonly output: string;
  /** Where each row's score is; all of the output is compared where it is not given. */
  readonly index?: number;
  readonly inputs: readonly InputTensor[];
  /** How much two values may differ; of values beyond 1, that share of them. */
  readonly tolerance: number;
}

/**
 * Runs both models on the same rows and compares what they give.
 *
 * @returns the largest absolute difference of two values
 * @throws ScoreBatchError `configuration` where values differ by more than the tolerance
 */
export async function compareModels({ what, original, made, output, index, inputs, tolerance }: Subject): Promise<number> {
  const rows = inputs[0]?.shape[0] ?? 0;
  const expected = await original.run(inputs, { name: output, index: index ?? 0 });
  const found = await made.run(inputs, { name: output, index: index ?? 0 });
  if (expected.width !== found.width) throw refusal(`it gives ${found.width} values a row instead of ${expected.width}`);
  let largest = 0;
  for (let row = 0; row < rows; row += 1) {
    const columns = index === undefined ? Array.from({ length: expected.width }, (_, i) => i) : [index];
    for (const column of columns) {
      const [wanted = 0, got = 0] = [expected, found].map(({ values, width }) => values[row * width + column]);
      if (wanted === got || (Number.isNaN(wanted) && Number.isNaN(got))) continue;
      const difference = Math.abs(wanted - got);
      // Nothing else is close to NaN or to infinity.
      if (!(difference < Infinity && difference <= tolerance * Math.max(1, Math.abs(wanted)))) {
        throw refusal(
          `on ${made.provider}, row ${row + 1} of the ${what} gives ${got} instead of ${wanted}, and may differ by ${tolerance}`,
          'nothing was written; please report it with the model, if it may be shown',
        );
      }
      largest = Math.max(largest, difference);
    }
  }
  return largest;
}
