import type { Column, ColumnType } from './schema.ts';

/** Element types of model inputs that a table column can feed. */
export const INPUT_DTYPES = ['float32', 'float64', 'int64', 'bool', 'string'] as const;
export type InputDtype = (typeof INPUT_DTYPES)[number];

/** One feature: a column of the query, and how to treat nulls, numbers out of range and unknown strings. */
export interface Feature {
  readonly name: string;
  readonly nullable: boolean;
  /** Replaces a null, and an unknown category under `unknown: default`. */
  readonly default?: number | string | boolean;
  /** Inclusive bounds of numbers. A value outside them quarantines the row. */
  readonly range?: readonly [number, number];
  /**
   * Strings that the model was trained on. Absent for numbers, and for a text feature that accepts any value (`unknown:
   * allow`).
   */
  readonly categories?: readonly string[];
  readonly unknown: 'quarantine' | 'allow' | 'default';
}

/** One input tensor `[N, features.length]`. */
export interface ModelInput {
  readonly name: string;
  readonly dtype: InputDtype;
  readonly features: readonly Feature[];
}

/** The outputs of a model that predicts a class. */
export interface Classes {
  /** Output `[N]` or `[N, 1]` with the class of each row; undefined if the bundle names none. */
  readonly label: string | undefined;
  /** Output `[N, labels.length]`. */
  readonly probabilities: string;
  /** Names of the classes, in the order of the probabilities. */
  readonly labels: readonly string[];
}

/** The model's inputs, and where its score is: element `index` of each row of an output `[N, width]`, or an output `[N]`. */
export interface Signature {
  readonly inputs: readonly ModelInput[];
  readonly output: { readonly name: string; readonly index: number };
  /** Present if the bundle has classes; then `output` is the probability of one of them. */
  readonly classes?: Classes;
}

/** Which column types can feed an element type: widening is allowed; narrowing and text to number are not. */
const ACCEPTED: Readonly<Record<InputDtype, readonly ColumnType[]>> = {
  float32: ['float', 'integer', 'decimal', 'bool'],
  float64: ['float', 'integer', 'decimal', 'bool'],
  int64: ['integer', 'bool'],
  bool: ['bool'],
  string: ['string'],
};

/** Whether values of a column may become elements of `dtype`. */
export function accepts(dtype: InputDtype, column: Column): boolean {
  // Snowflake's INTEGER is a decimal without a fraction. A value that does not fit 64 bits fails the run.
  const whole = column.type === 'decimal' && column.digits?.[1] === 0;
  return ACCEPTED[dtype].includes(column.type) || (dtype === 'int64' && whole);
}

/** Every feature with its input's element type, in the order in which the columns are read. */
export function featuresOf(signature: Signature): { readonly feature: Feature; readonly dtype: InputDtype }[] {
  return signature.inputs.flatMap(({ dtype, features }) => features.map((feature) => ({ feature, dtype })));
}
