import type { ColumnValues } from '../../domain/column-batch.ts';
import type { InputDtype } from '../../domain/signature.ts';
import { ServeFailure } from '../failure.ts';
import { shown } from '../shown.ts';
import { isLongerThan } from '../text-limit.ts';
import type { Datatype } from './datatype.ts';
import type { InferTensor, TensorData } from './tensor.ts';

const INTEGERS: readonly Datatype[] = ['INT64', 'INT32', 'INT16', 'INT8', 'UINT64', 'UINT32', 'UINT16', 'UINT8', 'BOOL'];

/** Datatypes that can feed an element type without loss. */
const TAKES: Readonly<Record<InputDtype, readonly Datatype[]>> = {
  float32: ['FP32', 'FP64', ...INTEGERS],
  float64: ['FP32', 'FP64', ...INTEGERS],
  int64: INTEGERS,
  bool: ['BOOL'],
  string: ['BYTES'],
};

/** Integers up to here are exact in a float64. */
const EXACT = 2n ** 53n;
const MAX_INT64 = 2n ** 63n - 1n;

/** Position of a feature's elements in a tensor `[rows, stride]`. */
export interface Slot {
  readonly start: number;
  readonly stride: number;
  readonly rows: number;
}

/** @throws ServeFailure `invalid` if tensors of `datatype` cannot feed elements of `dtype` */
export function checkDatatype({ name, datatype }: Pick<InferTensor, 'name' | 'datatype'>, dtype: InputDtype): void {
  if (TAKES[dtype].includes(datatype)) return;
  throw new ServeFailure('invalid', `${shown(name)} has datatype ${datatype}`, { hint: `send ${listed(TAKES[dtype])}` });
}

function listed(datatypes: readonly Datatype[]): string {
  const others: string[] = datatypes.filter((one) => !INTEGERS.includes(one));
  const all = datatypes.includes('INT64') ? [...others, 'INT*', 'UINT*', 'BOOL'] : datatypes;
  return all.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

/**
 * The column of one feature; a view of the tensor if its elements have the feature's type.
 *
 * @param text most characters of a string
 * @throws ServeFailure `invalid` if an integer does not fit or a string is too long
 */
export function columnOf(tensor: InferTensor, dtype: InputDtype, slot: Slot, text: number): ColumnValues {
  const { name, data } = tensor;
  const valid = undefined;
  switch (dtype) {
    case 'string':
      return { kind: 'string', values: textsOf(name, data as readonly string[], slot, text), valid };
    case 'bool':
      return { kind: 'bool', values: picked(data as Uint8Array, slot, Uint8Array), valid };
    case 'int64':
      return { kind: 'int64', values: int64Of(name, data, slot), valid };
    case 'float32':
    case 'float64':
      if (data instanceof Float32Array) return { kind: 'float32', values: picked(data, slot, Float32Array), valid };
      if (data instanceof Float64Array) return { kind: 'float64', values: picked(data, slot, Float64Array), valid };
      return { kind: 'float64', values: float64Of(name, data, slot), valid };
  }
}

/** Every `stride`-th number. */
function picked<T extends Float32Array | Float64Array | Uint8Array>(data: T, slot: Slot, array: new (length: number) => T): T {
  const { start, stride, rows } = slot;
  if (stride === 1) return data;
  const values = new array(rows);
  for (let row = 0, at = start; row < rows; row += 1, at += stride) values[row] = data[at] as number;
  return values;
}

function textsOf(name: string, data: readonly string[], { start, stride, rows }: Slot, most: number): readonly string[] {
  const values = new Array<string>(rows);
  for (let row = 0, at = start; row < rows; row += 1, at += stride) {
    const value = data[at] as string;
    if (isLongerThan(value, most)) {
      throw new ServeFailure('invalid', `element ${at} of ${shown(name)} has more than ${most} characters`);
    }
    values[row] = value;
  }
  return values;
}

function int64Of(name: string, data: TensorData, { start, stride, rows }: Slot): BigInt64Array {
  if (data instanceof BigInt64Array && stride === 1) return data;
  const values = new BigInt64Array(rows);
  for (let row = 0, at = start; row < rows; row += 1, at += stride) {
    const value = BigInt(data[at] as number | bigint);
    if (value > MAX_INT64) throw new ServeFailure('invalid', `element ${at} of ${shown(name)} is beyond 2^63`);
    values[row] = value;
  }
  return values;
}

function float64Of(name: string, data: TensorData, { start, stride, rows }: Slot): Float64Array {
  const values = new Float64Array(rows);
  for (let row = 0, at = start; row < rows; row += 1, at += stride) {
    const value = data[at] as number | bigint;
    if (typeof value === 'bigint' && (value > EXACT || value < -EXACT)) {
      throw new ServeFailure(
        'invalid',
        `element ${at} of ${shown(name)} is an integer beyond 2^53, which a float cannot hold`,
        {
          hint: 'send FP64 if the value may be rounded',
        },
      );
    }
    values[row] = Number(value);
  }
  return values;
}
