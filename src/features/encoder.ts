import { type ColumnBatch, type ColumnValues, isValid, type ReadKind } from '../domain/column-batch.ts';
import type { Column } from '../domain/schema.ts';
import { type Feature, featuresOf, type InputDtype, type ModelInput, type Signature } from '../domain/signature.ts';
import type { TextCounts } from '../domain/text-counts.ts';
import { rejection } from './rejection.ts';

/** The smallest number that rounds to infinity in float32: half a step above the largest finite one. */
const MAX_FLOAT32 = 2 ** 128 - 2 ** 103;

type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;
type InputValues = Float32Array | Float64Array | BigInt64Array | Uint8Array | string[];

/** Buffers for the input tensors of one batch, filled from column batches. */
export interface Encoder {
  /** The kind in which each feature's column must be read, in the order of `featuresOf`. */
  readonly kinds: readonly ReadKind[];
  /**
   * Writes the rows of a batch into the tensors, starting at row `offset`.
   *
   * @param rejected one `Rejection` per row of the batch; set for rows that cannot be scored, if it is still 0. The tensors get
   * a value that the model accepts for such a row.
   */
  encode(batch: ColumnBatch, offset: number, rejected: Int32Array): void;
  /** Counts of present and unseen values so far, per text feature with categories. Rejected rows count too. */
  texts(): TextCounts;
  /** The first `rows` rows as tensors `[rows, width]`. */
  tensors(rows: number): { name: string; dtype: InputDtype; values: InputValues; shape: [number, number] }[];
}

/**
 * @param columns the columns that feed the features, in the order of `featuresOf`
 * @param capacity maximum rows per batch
 */
export function createEncoder(signature: Signature, columns: readonly Column[], capacity: number): Encoder {
  const kinds = featuresOf(signature).map(({ dtype }, i) => kindFor(dtype, columns[i]));
  const buffers = signature.inputs.map((input) => ({ input, values: allocate(input, capacity) }));
  const numberEncoders = kinds.map(createNumberEncoder);
  const texts = featuresOf(signature).map(({ feature }) => ({ feature, present: 0, unseen: 0 }));
  // Built once: a request's batch may be a single row, and a feature may have a hundred thousand categories.
  const known = featuresOf(signature).map(({ feature: { categories } }) => categories && new Set(categories));
  return {
    kinds,
    encode(batch, offset, rejected) {
      let position = 0;
      for (const { input, values } of buffers) {
        const width = input.features.length;
        for (const [j, feature] of input.features.entries()) {
          const column = batch.columns[position];
          if (column === undefined) throw new RangeError(`the batch lacks column ${position}`);
          const target: Target = {
            values,
            start: offset * width + j,
            stride: width,
            rows: batch.rows,
            rejected,
            feature: position,
            seen: texts[position],
            known: known[position],
            encodeNumbers: numberEncoders[position] as EncodeNumbers,
          };
          encodeFeature(feature, column, target);
          position += 1;
        }
      }
    },
    texts() {
      const counted = texts.filter(({ feature }) => feature.categories !== undefined);
      return Object.fromEntries(counted.map(({ feature, present, unseen }) => [feature.name, [present, unseen]]));
    },
    tensors(rows) {
      return buffers.map(({ input, values }) => ({
        name: input.name,
        dtype: input.dtype,
        values: Array.isArray(values)
          ? values.slice(0, rows * input.features.length)
          : values.subarray(0, rows * input.features.length),
        shape: [rows, input.features.length],
      }));
    },
  };
}

/** Where to write a column: the value of a row goes to element `start + row * stride`. */
interface Target {
  readonly values: InputValues;
  readonly start: number;
  readonly stride: number;
  readonly rows: number;
  readonly rejected: Int32Array;
  /** Position among all features, for rejections. */
  readonly feature: number;
  readonly encodeNumbers: EncodeNumbers;
  /** Counts of a text feature. */
  readonly seen: { present: number; unseen: number } | undefined;
  /** The categories of a text feature, if it has any. */
  readonly known: ReadonlySet<string> | undefined;
}

/** Numbers are read at the source's width. They are rounded to float32 once, after the range check. */
function kindFor(dtype: InputDtype, column: Column | undefined): ReadKind {
  switch (dtype) {
    case 'float32':
    case 'float64':
      return column?.native === 'FLOAT' ? 'float32' : 'float64';
    case 'int64':
      return 'int64';
    case 'bool':
      return 'bool';
    case 'string':
      return 'string';
  }
}

function allocate({ dtype, features }: ModelInput, capacity: number): InputValues {
  const size = capacity * features.length;
  switch (dtype) {
    case 'float32':
      return new Float32Array(size);
    case 'float64':
      return new Float64Array(size);
    case 'int64':
      return new BigInt64Array(size);
    case 'bool':
      return new Uint8Array(size);
    case 'string':
      return new Array<string>(size).fill('');
  }
}

function encodeFeature(feature: Feature, column: ColumnValues, target: Target): void {
  if (column.kind === 'string') encodeStrings(feature, column.values, target);
  else if (column.kind === 'category') encodeCategories(feature, column, target);
  else if (column.kind === 'int64') encodeIntegers(feature, column, target);
  else target.encodeNumbers(feature, column, target);
}

type EncodeNumbers = (
  feature: Feature,
  column: { readonly values: NumberArray; readonly valid: Uint8Array | undefined; readonly widened?: Uint8Array },
  target: Target,
) => void;

/**
 * Makes an encoder of numbers for one feature. Each feature gets its own closure, so that the JavaScript engine specializes it
 * for the array type of the feature's column.
 */
function createNumberEncoder(): EncodeNumbers {
  return (feature, { values, valid, widened }, { values: out, start, stride, rows, rejected, feature: index }) => {
    const target = out as NumberArray;
    // A value that a float32 tensor would round to infinity is rejected.
    const largest = target instanceof Float32Array ? MAX_FLOAT32 : Infinity;
    // A float32 column stores 1.1 as 1.10000002, so a bound must be rounded the same way before it is compared.
    const exact = values instanceof Float32Array ? Math.fround : Number;
    const [low, high] = (feature.range ?? [-Infinity, Infinity]).map(exact) as [number, number];
    const filler = feature.nullable ? (feature.default === undefined ? Number.NaN : Number(feature.default)) : undefined;
    for (let row = 0, at = start; row < rows; row += 1, at += stride) {
      const value = values[row] as number;
      // The common case first: present, finite (comparisons with NaN are false) and inside the range.
      if (
        value >= low &&
        value <= high &&
        value < largest &&
        value > -largest &&
        (valid === undefined || isValid(valid, row))
      ) {
        target[at] = value;
        continue;
      }
      const missing = !isValid(valid, row);
      if (missing && filler !== undefined) {
        target[at] = filler;
        continue;
      }
      // A bound that a store has rounded to float32, as in a float32 column.
      const isBound = value === Math.fround(low) || value === Math.fround(high);
      if (!missing && isBound && Math.abs(value) < largest && widened !== undefined && isValid(widened, row)) {
        target[at] = value;
        continue;
      }
      // NaN means "unknown" only if the model was trained on NaN: nullable without a default.
      if (!missing && Number.isNaN(value) && filler !== undefined && Number.isNaN(filler)) {
        target[at] = value;
        continue;
      }
      target[at] = 0;
      rejected[row] ||= missing
        ? rejection('null in a required feature', index)
        : rejection(Math.abs(value) < largest ? 'feature out of range' : 'feature is not a finite number', index);
    }
  };
}

function encodeIntegers(
  feature: Feature,
  { values, valid }: { values: BigInt64Array; valid: Uint8Array | undefined },
  { values: out, start, stride, rows, rejected, feature: index }: Target,
): void {
  const target = out as BigInt64Array;
  const low = feature.range && BigInt(Math.ceil(feature.range[0]));
  const high = feature.range && BigInt(Math.floor(feature.range[1]));
  const filler = feature.nullable ? BigInt(Number(feature.default)) : undefined;
  for (let row = 0, at = start; row < rows; row += 1, at += stride) {
    const value = values[row] as bigint;
    if (!isValid(valid, row)) {
      target[at] = filler ?? 0n;
      if (filler === undefined) rejected[row] ||= rejection('null in a required feature', index);
    } else if ((low !== undefined && value < low) || (high !== undefined && value > high)) {
      target[at] = 0n;
      rejected[row] ||= rejection('feature out of range', index);
    } else {
      target[at] = value;
    }
  }
}

function encodeStrings(
  feature: Feature,
  values: readonly (string | null)[],
  { values: out, start, stride, rows, rejected, feature: index, seen, known }: Target,
): void {
  const target = out as string[];
  const filler = feature.default === undefined ? undefined : String(feature.default);
  let nulls = 0;
  let unseen = 0;
  for (let row = 0, at = start; row < rows; row += 1, at += stride) {
    const value = values[row] ?? null;
    if (value === null) {
      nulls += 1;
      const replaced = feature.nullable ? filler : undefined;
      target[at] = replaced ?? '';
      if (replaced === undefined) rejected[row] ||= rejection('null in a required feature', index);
    } else if (known === undefined || known.has(value)) {
      target[at] = value;
    } else {
      unseen += 1;
      const replaced = feature.unknown === 'allow' ? value : feature.unknown === 'default' ? filler : undefined;
      target[at] = replaced ?? '';
      if (replaced === undefined) rejected[row] ||= rejection('unknown category', index);
    }
  }
  if (seen === undefined) return;
  seen.present += rows - nulls;
  seen.unseen += unseen;
}

/** Strings given as indexes into the feature's categories. Other values are not available here. */
function encodeCategories(
  feature: Feature,
  { values, valid }: { values: Int32Array; valid: Uint8Array | undefined },
  { values: out, start, stride, rows, rejected, feature: index, seen }: Target,
): void {
  const target = out as string[];
  const { categories = [] } = feature;
  const filler = feature.default === undefined ? undefined : String(feature.default);
  const forNull = feature.nullable ? filler : undefined;
  const forUnknown = feature.unknown === 'default' ? filler : undefined;
  let nulls = 0;
  let unseen = 0;
  for (let row = 0, at = start; row < rows; row += 1, at += stride) {
    const known = isValid(valid, row) ? categories[values[row] as number] : undefined;
    if (known !== undefined) {
      target[at] = known;
      continue;
    }
    const missing = !isValid(valid, row);
    if (missing) nulls += 1;
    else unseen += 1;
    const replaced = missing ? forNull : forUnknown;
    target[at] = replaced ?? '';
    if (replaced === undefined) rejected[row] ||= rejection(missing ? 'null in a required feature' : 'unknown category', index);
  }
  if (seen === undefined) return;
  seen.present += rows - nulls;
  seen.unseen += unseen;
}
