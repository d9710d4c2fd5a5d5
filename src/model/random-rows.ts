import type { Feature, InputDtype, Signature } from '../domain/signature.ts';
import type { InputTensor } from '../runtime/session.ts';

/**
 * Inputs that a model takes, anything that its description allows: inside ranges and at their ends, known categories, nulls as
 * they are encoded, numbers of all sizes where nothing is said of them.
 *
 * @param random numbers from 0 to 1
 */
export function randomInputs({ inputs }: Signature, rows: number, random: () => number): InputTensor[] {
  return inputs.map(({ name, dtype, features }) => {
    const values = Array.from({ length: rows }, () => features.map((feature) => randomValue(feature, dtype, random))).flat();
    return { name, dtype, values: typedValues(dtype, values), shape: [rows, features.length] };
  });
}

/** One value of a row; of an int64 as a number. */
export type Value = number | string | boolean;

function randomValue(feature: Feature, dtype: InputDtype, random: () => number): Value {
  const floating = dtype === 'float32' || dtype === 'float64';
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  if (feature.nullable && random() < 0.1) return feature.default ?? Number.NaN;
  if (dtype === 'bool') return random() < 0.5;
  if (dtype === 'string') return pick(feature.categories ?? ['a', 'b', 'another']);
  const [low, high] =
    feature.range ??
    pick([
      [-1, 1],
      [-10, 10],
      [0, 100],
      [-1e6, 1e6],
    ] as const);
  const value = random() < 0.1 ? pick([low, high]) : low + random() * (high - low);
  // Whole numbers are what trees of counts are split between.
  return floating && random() < 0.7 ? value : Math.min(Math.max(Math.round(value), Math.ceil(low)), Math.floor(high));
}

/** Values, row-major, as the tensor of an input has them. */
export function typedValues(dtype: InputDtype, values: readonly Value[]): InputTensor['values'] {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values, Number);
    case 'float64':
      return Float64Array.from(values, Number);
    case 'int64':
      return BigInt64Array.from(values, (value) => BigInt(Math.trunc(Number(value))));
    case 'bool':
      return Uint8Array.from(values, Number);
    case 'string':
      return values.map(String);
  }
}
