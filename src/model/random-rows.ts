import type { Feature, InputDtype, Signature } from '../domain/signature.ts';
import type { InputTensor } from '../runtime/session.ts';

/**
 * Random inputs that a model's description allows: values inside ranges and at their ends, known categories, encoded nulls, and
 * numbers of all sizes for features without a range.
 *
 * @param random numbers from 0 to 1
 */
export function randomInputs({ inputs }: Signature, rows: number, random: () => number): InputTensor[] {
  return inputs.map(({ name, dtype, features }) => {
    const values = Array.from({ length: rows }, () => features.map((feature) => randomValue(feature, dtype, random))).flat();
    return { name, dtype, values: typedValues(dtype, values), shape: [rows, features.length] };
  });
}

/** One value of a row. An int64 is a number. */
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
  // Trees over counts split between whole numbers.
  return floating && random() < 0.7 ? value : Math.min(Math.max(Math.round(value), Math.ceil(low)), Math.floor(high));
}

/** Converts row-major values to the array type of an input. */
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
