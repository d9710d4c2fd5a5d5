import type { InputTensor } from './session.ts';

/** The inputs with the given rows, in the given order; a row may repeat. @param rows row numbers from 0 */
export function pickRows(inputs: readonly InputTensor[], rows: readonly number[]): InputTensor[] {
  return inputs.map((input) => {
    const width = input.shape[1] ?? 1;
    const { values } = input;
    const shape = [rows.length, width];
    if (Array.isArray(values))
      return { ...input, shape, values: rows.flatMap((row) => values.slice(row * width, (row + 1) * width)) };
    const own = emptyLike(values, rows.length * width);
    for (const [i, row] of rows.entries()) own.set(values.subarray(row * width, (row + 1) * width) as never, i * width);
    return { ...input, shape, values: own };
  });
}

/** Appends the rows of `second` to those of `first`; both are inputs of the same model. */
export function joinRows(first: readonly InputTensor[], second: readonly InputTensor[]): InputTensor[] {
  return first.map((input, i) => {
    const { values, shape } = input;
    const added = second[i];
    if (added === undefined) throw new RangeError(`the input ${input.name} has no rows to append`);
    const [rows = 0, width = 1] = shape;
    const joined = [rows + (added.shape[0] ?? 0), width];
    if (Array.isArray(values)) return { ...input, shape: joined, values: [...values, ...(added.values as string[])] };
    const own = emptyLike(values, (joined[0] ?? 0) * width);
    own.set(values as never);
    own.set(added.values as never, values.length);
    return { ...input, shape: joined, values: own };
  });
}

/** At most `max` row numbers below `rows`, spread evenly. */
export function spreadRows(rows: number, max: number): number[] {
  if (rows <= max) return Array.from({ length: rows }, (_, row) => row);
  return Array.from({ length: max }, (_, i) => Math.round((i * (rows - 1)) / Math.max(1, max - 1)));
}

type Numbers = Exclude<InputTensor['values'], string[]>;

function emptyLike<T extends Numbers>(values: T, length: number): T {
  return new (values.constructor as new (length: number) => T)(length);
}
