import { ServeFailure } from '../failure.ts';
import type { Datatype } from '../oip/datatype.ts';
import { elementsOf } from '../oip/raw.ts';
import type { InferTensor, TensorData } from '../oip/tensor.ts';
import { shown } from '../shown.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;

type Head = Omit<InferTensor, 'data'>;
type NumberDatatype = Exclude<Datatype, 'BOOL' | 'BYTES' | 'INT64' | 'UINT64'>;

const NUMBERS = {
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<NumberDatatype, unknown>;

/**
 * The elements of a JSON `data`, flat or nested as the shape says.
 *
 * @throws ServeFailure `invalid` if elements are missing or not of the datatype
 */
export function readData(head: Head, data: unknown): TensorData {
  const { name, datatype, shape } = head;
  const count = elementsOf(name, shape);
  const lists = listsOf(head, data, count);
  switch (datatype) {
    case 'BOOL':
      return fill(head, lists, new Uint8Array(count), (element) =>
        typeof element === 'boolean' ? Number(element) : undefined,
      );
    case 'BYTES':
      return fill(head, lists, new Array<string>(count), (element) =>
        typeof element === 'string' && !LONE_SURROGATE.test(element) ? element : undefined,
      );
    case 'INT64':
      return fill(head, lists, new BigInt64Array(count), (element) =>
        Number.isSafeInteger(element) ? BigInt(element as number) : undefined,
      );
    case 'UINT64':
      return fill(head, lists, new BigUint64Array(count), (element) =>
        Number.isSafeInteger(element) && (element as number) >= 0 ? BigInt(element as number) : undefined,
      );
    default:
      return fillNumbers(head, lists, new NUMBERS[datatype](count));
  }
}

/** The elements as lists: one list if flat, otherwise one per row. Nothing is allocated before their number is known. */
function listsOf({ name, shape }: Head, data: unknown, count: number): readonly (readonly unknown[])[] {
  if (!Array.isArray(data)) throw new ServeFailure('invalid', `data of ${shown(name)} is not a list`);
  const [rows = 0, width = 0] = shape;
  if (shape.length === 2 && Array.isArray(data[0])) {
    if (data.length === rows && data.every((row) => Array.isArray(row) && row.length === width)) return data;
    throw new ServeFailure('invalid', `data of ${shown(name)} is not ${rows} lists of ${width} elements, as its shape says`);
  }
  if (data.length === count) return [data];
  throw new ServeFailure('invalid', `data of ${shown(name)} has ${data.length} elements; its shape is [${shape.join(', ')}]`);
}

function fillNumbers<T extends Exclude<TensorData, BigInt64Array | BigUint64Array | readonly string[]>>(
  head: Head,
  lists: readonly (readonly unknown[])[],
  target: T,
): T {
  // Float arrays round; integer arrays would wrap around, so check that they hold what was sent.
  const rounds = target instanceof Float32Array || target instanceof Float64Array;
  let at = 0;
  for (const list of lists) {
    for (let i = 0; i < list.length; i += 1, at += 1) {
      const element = list[i];
      if (typeof element !== 'number') throw wrong(head, element, at);
      target[at] = element;
      // JSON's 1e400 becomes Infinity, and so does 1e39 in FP32.
      if (rounds ? !Number.isFinite(target[at]) : target[at] !== element) throw wrong(head, element, at);
    }
  }
  return target;
}

function fill<T extends Uint8Array | BigInt64Array | BigUint64Array | string[]>(
  head: Head,
  lists: readonly (readonly unknown[])[],
  target: T,
  read: (element: unknown) => T[number] | undefined,
): T {
  let at = 0;
  for (const list of lists) {
    for (const element of list) {
      const value = read(element);
      if (value === undefined) throw wrong(head, element, at);
      target[at] = value;
      at += 1;
    }
  }
  return target;
}

function wrong({ name, datatype }: Head, element: unknown, at: number): ServeFailure {
  const where = `element ${at} of ${shown(name)}`;
  if (element === null) {
    return new ServeFailure('invalid', `${where} is null, which a tensor cannot hold`, {
      hint: 'send rows with nulls to /v1/models/NAME/predict',
    });
  }
  if (Array.isArray(element)) return new ServeFailure('invalid', `${where} is a list, which does not match the shape`);
  if (datatype === 'BYTES' && typeof element === 'string') return new ServeFailure('invalid', `${where} is not valid Unicode`);
  if (typeof element !== 'number' || datatype === 'BYTES' || datatype === 'BOOL') {
    const kind = typeof element === 'object' ? 'an object' : `a ${typeof element}`;
    return new ServeFailure('invalid', `${where} is ${kind}, not ${datatype}`);
  }
  const exact = datatype.endsWith('64') && Number.isInteger(element);
  return new ServeFailure('invalid', `${where} does not fit ${datatype}`, {
    ...(exact && { hint: 'JSON integers are exact up to 2^53 - 1; send the tensor in binary' }),
  });
}
