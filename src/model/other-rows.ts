import type { Feature, InputDtype, Signature } from '../domain/signature.ts';
import type { InputTensor } from '../runtime/session.ts';
import { typedValues, type Value } from './random-rows.ts';

/** Without a range in `model.yaml`, values go up to this multiple of the largest golden value. */
const RANGE_FACTOR = 10;

/**
 * Rows to mix with golden rows, in groups: all features at their lowest value, all at their highest, each at one of the two,
 * and random values in between, with nulls. A group of extremes repeats one row, so that a score that depends on its neighbours
 * sees them all on one side. Integers and strings without a known range keep to the golden values, because a model may look
 * them up in a table.
 *
 * @param golden encoded inputs of the golden rows
 * @param rows rows per group
 * @param random numbers from 0 to 1
 */
export function otherRows(
  { inputs }: Signature,
  golden: readonly InputTensor[],
  rows: number,
  random: () => number,
): InputTensor[][] {
  const choices = inputs.map(({ dtype, features }, i) =>
    features.map((feature, j) => choicesOf(feature, dtype, columnOf(golden[i], j))),
  );
  const group = (pick: (choice: Choices) => () => Value): InputTensor[] =>
    inputs.map(({ name, dtype, features }, i) => {
      const cells = (choices[i] ?? []).map(pick);
      const values = Array.from({ length: rows }, () => cells.map((cell) => cell())).flat();
      return { name, dtype, values: typedValues(dtype, values), shape: [rows, features.length] };
    });
  const always = (value: Value) => () => value;
  return [
    group(({ low }) => always(low)),
    group(({ high }) => always(high)),
    group(({ low, high }) => always(random() < 0.5 ? low : high)),
    group(
      ({ any }) =>
        () =>
          any(random),
    ),
  ];
}

interface Choices {
  readonly low: Value;
  readonly high: Value;
  readonly any: (random: () => number) => Value;
}

function choicesOf(feature: Feature, dtype: InputDtype, golden: readonly Value[]): Choices {
  const withNull = (any: Choices['any']): Choices['any'] =>
    feature.nullable ? (random) => (random() < 0.1 ? (feature.default ?? Number.NaN) : any(random)) : any;
  const oneOf = (values: readonly Value[]): Choices => ({
    low: values[0] ?? '',
    high: values.at(-1) ?? '',
    any: withNull((random) => values[Math.floor(random() * values.length)] ?? ''),
  });
  if (dtype === 'bool') return oneOf([false, true]);
  if (dtype === 'string') return oneOf(feature.categories ?? golden);
  const numbers = golden.map(Number).filter((value) => !Number.isNaN(value));
  const most = numbers.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  const whole = dtype === 'int64';
  const [low, high] =
    feature.range ?? (whole ? [Math.min(...numbers), Math.max(...numbers)] : [-RANGE_FACTOR * most, RANGE_FACTOR * most]);
  const inside = (value: number) => (whole ? Math.min(Math.max(Math.round(value), Math.ceil(low)), Math.floor(high)) : value);
  return {
    low: inside(low),
    high: inside(high),
    any: withNull((random) => inside(low + random() * (high - low))),
  };
}

function columnOf(input: InputTensor | undefined, column: number): Value[] {
  const width = input?.shape[1] ?? 1;
  return Array.from({ length: input?.shape[0] ?? 0 }, (_, row) => {
    const value = input?.values[row * width + column] ?? 0;
    return typeof value === 'bigint' ? Number(value) : value;
  });
}
