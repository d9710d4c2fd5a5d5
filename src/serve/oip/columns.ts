import type { ColumnBatch, ColumnValues } from '../../domain/column-batch.ts';
import { featuresOf, type InputDtype, type ModelInput } from '../../domain/signature.ts';
import { didYouMean } from '../../suggest.ts';
import { ServeFailure } from '../failure.ts';
import type { OnlineModel } from '../online-model.ts';
import { checkDatatype, columnOf } from './column.ts';
import { elementsOf } from './raw.ts';
import { shown } from './shown.ts';
import type { InferTensor } from './tensor.ts';

/** Where the values of a feature come from. */
interface Source {
  readonly tensor: InferTensor;
  /** Position in each row of a tensor `[rows, stride]`. */
  readonly start: number;
  readonly stride: number;
}

/** A feature, and the input of the model that it belongs to. */
interface Place {
  readonly dtype: InputDtype;
  readonly nullable: boolean;
  readonly input: ModelInput;
  source: Source | undefined;
}

/**
 * The rows of a request as columns of the model's features. A feature has a tensor of its own name, `[rows]` or `[rows, 1]`, or is
 * a column of a tensor with the name of the model's input, `[rows, features]`. A nullable feature without either is null.
 *
 * @param text most characters of a text
 * @throws ServeFailure `invalid` if the tensors are not those of the model, `too large` if there are too many rows
 */
export function batchOf(model: OnlineModel, tensors: readonly InferTensor[], text: number): ColumnBatch {
  const { signature } = model.bundle;
  const rows = rowsOf(model, tensors);
  const places = placesOf(signature.inputs);
  const inputs = new Map(signature.inputs.map((input) => [input.name, input]));
  const names = new Set<string>();
  for (const tensor of tensors) {
    const { name, shape } = tensor;
    if (names.has(name)) throw new ServeFailure('invalid', `${shown(name)} comes twice`);
    names.add(name);
    const input = inputs.get(name);
    const place = places.get(name);
    if (elementsOf(name, shape) !== tensor.data.length) {
      throw new ServeFailure(
        'invalid',
        `${shown(name)} has ${tensor.data.length} elements; its shape is [${shape.join(', ')}]`,
      );
    }
    if (place !== undefined && width(shape) === 1) take(place, { tensor, start: 0, stride: 1 });
    else if (input !== undefined && width(shape) === input.features.length) takeAll(input, places, tensor);
    else if (input === undefined && place === undefined) throw unknownTensor(name, [...places.keys(), ...inputs.keys()]);
    else throw wrongShape(tensor, place !== undefined, input);
  }
  const columns = featuresOf(signature).map(({ feature }) => {
    const { source, dtype, nullable, input } = places.get(feature.name) as Place;
    if (source !== undefined) return columnOf(source.tensor, dtype, { ...source, rows }, text);
    if (nullable) return nulls(dtype, rows);
    throw new ServeFailure('invalid', `${feature.name} is missing`, {
      hint: `send a tensor ${feature.name} [${rows}], or ${input.name} [${rows}, ${input.features.length}]`,
    });
  });
  return { rows, columns };
}

function placesOf(inputs: readonly ModelInput[]): Map<string, Place> {
  return new Map(
    inputs.flatMap((input) =>
      input.features.map(({ name, nullable }) => [name, { dtype: input.dtype, nullable, input, source: undefined }]),
    ),
  );
}

function rowsOf({ maxRows }: OnlineModel, tensors: readonly InferTensor[]): number {
  const [first] = tensors;
  if (first === undefined) throw new ServeFailure('invalid', 'the request has no inputs');
  const rows = first.shape[0] ?? 0;
  const other = tensors.find(({ shape }) => shape[0] !== rows);
  if (other !== undefined) {
    throw new ServeFailure('invalid', `${shown(other.name)} has ${other.shape[0] ?? 0} rows, ${shown(first.name)} has ${rows}`);
  }
  if (rows === 0) throw new ServeFailure('invalid', 'the request has no rows');
  if (rows > maxRows) {
    throw new ServeFailure('too large', `the request has ${rows} rows; at most ${maxRows} are taken`, {
      hint: `send at most ${maxRows} rows in a request`,
    });
  }
  return rows;
}

/** Elements of a row; NaN for a tensor that is neither `[rows]` nor `[rows, width]`. */
function width(shape: readonly number[]): number {
  return shape.length === 1 ? 1 : shape.length === 2 ? (shape[1] ?? Number.NaN) : Number.NaN;
}

function take(place: Place, source: Source): void {
  checkDatatype(source.tensor, place.dtype);
  if (place.source !== undefined) {
    throw new ServeFailure(
      'invalid',
      `${shown(source.tensor.name)} and ${shown(place.source.tensor.name)} hold the same feature`,
      {
        hint: `send either one tensor for ${place.input.name} or one for each of its features`,
      },
    );
  }
  place.source = source;
}

function takeAll(input: ModelInput, places: ReadonlyMap<string, Place>, tensor: InferTensor): void {
  const stride = input.features.length;
  for (const [start, { name }] of input.features.entries()) take(places.get(name) as Place, { tensor, start, stride });
}

function unknownTensor(name: string, known: readonly string[]): ServeFailure {
  return new ServeFailure('invalid', `the model has no input ${shown(name)}`, { hint: didYouMean(name.slice(0, 80), known) });
}

function wrongShape({ name, shape }: InferTensor, isFeature: boolean, input: ModelInput | undefined): ServeFailure {
  const shapes = [isFeature && '[rows] or [rows, 1]', input && `[rows, ${input.features.length}]`].filter(Boolean);
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
