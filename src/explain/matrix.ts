import type { InputTensor } from '../runtime/session.ts';
import type { Matrix } from './background.ts';

/**
 * Inputs as one matrix with features in signature order. Strings become NaN; no tree compares them.
 *
 * @param rounds whether to round to float32, as the model does
 */
export function matrixOf(inputs: readonly InputTensor[], from: number, rows: number, rounds: boolean): Matrix {
  const width = inputs.reduce((sum, { shape }) => sum + (shape[1] ?? 1), 0);
  const values = new Float64Array(rows * width);
  let column = 0;
  for (const { values: given, shape } of inputs) {
    const own = shape[1] ?? 1;
    for (let row = 0; row < rows; row += 1) {
      for (let j = 0; j < own; j += 1) {
        const value = given[(from + row) * own + j];
        const number = typeof value === 'string' ? Number.NaN : Number(value);
        values[row * width + column + j] = rounds ? Math.fround(number) : number;
      }
    }
    column += own;
  }
  return { values, rows, width };
}
