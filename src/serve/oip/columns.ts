import type { ColumnValues } from '../../domain/column-batch.ts';
import type { Feature, InputDtype, ModelInput, Signature } from '../../domain/signature.ts';
import { didYouMean } from '../../suggest.ts';
import { ServeFailure } from '../failure.ts';
import type { OnlineModel } from '../online-model.ts';
import { shown } from '../shown.ts';
import { checkDatatype, columnOf } from './column.ts';
import type { TensorColumns } from './looked-up.ts';
import { elementsOf } from './raw.ts';
import { refuseRows } from './sizes.ts';
import type { InferTensor } from './tensor.ts';

/** The source of a feature's values. */
interface Source {
  readonly tensor: InferTensor;
  /** Position in each row of a tensor `[rows, stride]`. */
  readonly start: number;
  readonly stride: number;
}

/** A feature, its input, and its position among all features. */
interface Place {
  readonly feature: Feature;
  readonly input: ModelInput;
  readonly position: number;
}

/** What tensor names mean to a model. */
interface Names {
  readonly places: readonly Place[];
  readonly features: ReadonlyMap<string, Place>;
  /** The places of each input, in the order of its columns. */
  readonly inputs: ReadonlyMap<string, readonly Place[]>;
}

const known = new WeakMap<Signature, Names>();

function namesOf(signature: Signature): Names {
  const found = known.get(signature);
  if (found !== undefined) return found;
  const pairs = signature.inputs.flatMap((input) => input.features.map((feature) => ({ feature, input })));
  const places = pairs.map((pair, position) => ({ ...pair, position }));
  const names: Names = {
    places,
    features: new Map(places.map((place) => [place.feature.name, place])),
    inputs: new Map(signature.inputs.map((input) => [input.name, places.filter((place) => place.input === input)])),
  };
  known.set(signature, names);
  return names;
}

/**
 * Converts the tensors of a request to columns of the model's features. A feature has a tensor of its own name, `[rows]` or
 * `[rows, 1]`, or is a column of a tensor named like the model's input, `[rows, features]`. A feature without either is looked
 * up if a store has it, and otherwise null if it is nullable.
 *
 * @param text most characters of a string
 * @throws ServeFailure `invalid` if the tensors do not fit the model, `too large` if there are too many rows
 */
export function columnsOf(model: OnlineModel, tensors: readonly InferTensor[], text: number): TensorColumns {
  const names = namesOf(model.bundle.signature);
  const rows = rowsOf(model, tensors);
  const keys = model.features?.keys.map(({ name }) => name) ?? [];
  const sources = sourcesOf(names, tensors, keys);
  const columns = names.places.map(({ feature, input, position }) => {
    const source = sources[position];
    if (source !== undefined)
      return columnOf(source.tensor, input.dtype, { start: source.start, stride: source.stride, rows }, text);
    if (model.features?.stored[position]) return undefined;
    if (feature.nullable) return nulls(input.dtype, rows);
    throw new ServeFailure('invalid', `${feature.name} is missing`, {
      hint: `send a tensor ${feature.name} [${rows}], or ${input.name} [${rows}, ${input.features.length}]`,
    });
  });
  return { rows, columns };
}

/** The source of each feature, by position. @param keys of lookups: their tensors are not features */
function sourcesOf(names: Names, tensors: readonly InferTensor[], keys: readonly string[]): (Source | undefined)[] {
  const sources = new Array<Source | undefined>(names.places.length).fill(undefined);
  for (const [i, tensor] of tensors.entries()) {
    const { name, shape, data } = tensor;
    const place = names.features.get(name);
    const whole = names.inputs.get(name);
    const isKey = keys.includes(name);
    if (place === undefined && whole === undefined && !isKey) throw unknownTensor(name, names, keys);
    if (tensors.findIndex((one) => one.name === name) < i) throw new ServeFailure('invalid', `${shown(name)} is sent twice`);
    if (elementsOf(name, shape) !== data.length) {
      throw new ServeFailure('invalid', `${shown(name)} has ${data.length} elements; its shape is [${shape.join(', ')}]`);
    }
    const stride = width(shape);
    if (place !== undefined && stride === 1) take(sources, place, { tensor, start: 0, stride });
    else if (whole !== undefined && stride === whole.length) {
      for (const [start, one] of whole.entries()) take(sources, one, { tensor, start, stride });
    } else if (!isKey || stride !== 1) throw wrongShape(tensor, isKey || place !== undefined, whole?.length);
  }
  return sources;
}

function rowsOf({ maxRows }: OnlineModel, tensors: readonly InferTensor[]): number {
  const [first] = tensors;
  if (first === undefined) throw new ServeFailure('invalid', 'the request has no inputs');
  const rows = first.shape[0] ?? 0;
  const other = tensors.find(({ shape }) => (shape[0] ?? 0) !== rows);
  if (other !== undefined) {
    throw new ServeFailure('invalid', `${shown(other.name)} has ${other.shape[0] ?? 0} rows, ${shown(first.name)} has ${rows}`);
  }
  if (rows === 0) throw new ServeFailure('invalid', 'the request has no rows');
  refuseRows(rows, maxRows);
  return rows;
}

/** Elements per row; NaN unless the tensor is `[rows]` or `[rows, width]`. */
function width(shape: readonly number[]): number {
  return shape.length === 1 ? 1 : shape.length === 2 ? (shape[1] ?? Number.NaN) : Number.NaN;
}

function take(sources: (Source | undefined)[], { input, position }: Place, source: Source): void {
  const { tensor } = source;
  checkDatatype(tensor, input.dtype);
  const other = sources[position]?.tensor;
  if (other !== undefined) {
    throw new ServeFailure('invalid', `${shown(tensor.name)} and ${shown(other.name)} hold the same feature`, {
      hint: `send either one tensor for ${input.name} or one for each of its features`,
    });
  }
  sources[position] = source;
}

function unknownTensor(name: string, { features, inputs }: Names, keys: readonly string[]): ServeFailure {
  const hint = didYouMean(name.slice(0, 80), [...new Set([...features.keys(), ...inputs.keys(), ...keys])]);
  return new ServeFailure('invalid', `the model has no input ${shown(name)}`, { hint });
}

/** @param whole columns of the model's input of this name */
function wrongShape({ name, shape }: InferTensor, isFeature: boolean, whole: number | undefined): ServeFailure {
  const shapes = [isFeature && '[rows] or [rows, 1]', whole !== undefined && `[rows, ${whole}]`].filter(Boolean);
  return new ServeFailure('invalid', `${shown(name)} has shape [${shape.join(', ')}]`, { hint: `send ${shapes.join(' or ')}` });
}

function nulls(dtype: InputDtype, rows: number): ColumnValues {
  const valid = new Uint8Array(Math.ceil(rows / 8));
  switch (dtype) {
    case 'float32':
    case 'float64':
      return { kind: 'float64', values: new Float64Array(rows), valid };
    case 'int64':
      return { kind: 'int64', values: new BigInt64Array(rows), valid };
    case 'bool':
      return { kind: 'bool', values: new Uint8Array(rows), valid };
    case 'string':
      return { kind: 'string', values: new Array<null>(rows).fill(null), valid: undefined };
  }
}
