import type { InputTensor } from './session.ts';

/** The inputs with the rows of these numbers, in their order; a number may come more than once. */
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

/** The rows of both, which are inputs of the same model, one after the other. */
export function joinRows(first: readonly InputTensor[], second: readonly InputTensor[]): InputTensor[] {
  return first.map((input, i) => {
    const { values, shape } = input;
    const behind = second[i];
    if (behind === undefined) throw new RangeError(`there are no rows for the input ${input.name}`);
    const [rows = 0, width = 1] = shape;
    const joined = [rows + (behind.shape[0] ?? 0), width];
    if (Array.isArray(values)) return { ...input, shape: joined, values: [...values, ...(behind.values as string[])] };
    const own = emptyLike(values, (joined[0] ?? 0) * width);
    own.set(values as never);
    own.set(behind.values as never, values.length);
    return { ...input, shape: joined, values: own };
  });
}

/** Numbers of at most `most` of `rows` rows, spread over all of them. */
export function spreadRows(rows: number, most: number): number[] {
  if (rows <= most) return Array.from({ length: rows }, (_, row) => row);
  return Array.from({ length: most }, (_, i) => Math.round((i * (rows - 1)) / Math.max(1, most - 1)));
}

type Numbers = Exclude<InputTensor['values'], string[]>;

function emptyLike<T extends Numbers>(values: T, length: number): T {
  return new (values.constructor as new (length: number) => T)(length);
}
