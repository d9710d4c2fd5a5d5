import { ServeFailure } from '../failure.ts';
import type { Datatype } from '../oip/datatype.ts';
import { elementsOf, readText } from '../oip/raw.ts';
import type { TensorData } from '../oip/tensor.ts';
import { shown } from '../shown.ts';
import {
  advance,
  BYTES,
  type Cursor,
  FIXED32,
  FIXED64,
  malformed,
  readBytes,
  readFields,
  readPacked,
  readVarint,
  signedNumber,
  unsignedNumber,
  VARINT,
} from './wire.ts';

/** Which field of InferTensorContents has a datatype's elements, and how to read them. */
interface Contents {
  readonly field: number;
  readonly wire: number;
  /** Returns an array of `count` elements, and a function that reads the next one. @param name for messages */
  readonly make: (
    count: number,
    name: string,
  ) => { readonly data: TensorData; readonly take: (cursor: Cursor, at: number) => void };
}

const CONTENTS: Readonly<Record<Datatype, Contents>> = {
  BOOL: integers(
    1,
    (count) => new Uint8Array(count),
    (cursor) => Math.min(1, unsignedNumber(cursor)),
  ),
  INT8: integers(2, (count) => new Int8Array(count), signedNumber),
  INT16: integers(2, (count) => new Int16Array(count), signedNumber),
  INT32: integers(2, (count) => new Int32Array(count), signedNumber),
  UINT8: integers(4, (count) => new Uint8Array(count), unsignedNumber),
  UINT16: integers(4, (count) => new Uint16Array(count), unsignedNumber),
  UINT32: integers(4, (count) => new Uint32Array(count), unsignedNumber),
  INT64: long(3, (count) => new BigInt64Array(count)),
  UINT64: long(5, (count) => new BigUint64Array(count)),
  FP32: {
    field: 6,
    wire: FIXED32,
    make: (count) => floats(new Float32Array(count), ({ bytes }, at) => bytes.readFloatLE(at)),
  },
  FP64: {
    field: 7,
    wire: FIXED64,
    make: (count) => floats(new Float64Array(count), ({ bytes }, at) => bytes.readDoubleLE(at)),
  },
  BYTES: {
    field: 8,
    wire: BYTES,
    make(_, name) {
      const data: string[] = [];
      return { data, take: (cursor, at) => void data.push(readText(name, readBytes(cursor), at)) };
    },
  },
};

/** Names of the fields of InferTensorContents, by field number. */
const FIELDS = [
  '',
  'bool_contents',
  'int_contents',
  'int64_contents',
  'uint_contents',
  'uint64_contents',
  'fp32_contents',
  'fp64_contents',
  'bytes_contents',
] as const;

/**
 * Reads a tensor's elements from its typed contents, packed or not.
 *
 * @param bytes the InferTensorContents
 * @throws ServeFailure `invalid` if their number differs from the shape, they are in the field of another datatype, do not fit
 * the datatype, or are not UTF-8
 */
export function readContents(
  { name, datatype, shape }: { readonly name: string; readonly datatype: Datatype; readonly shape: readonly number[] },
  bytes: Buffer,
): TensorData {
  const { field, wire, make } = CONTENTS[datatype];
  const count = elementsOf(name, shape);
  const wrongCount = (what: string) =>
    new ServeFailure('invalid', `${shown(name)} has ${what} elements; its shape needs ${count}`);
  // Do not trust the client's shape: allocate nothing for elements that cannot be there.
  if (count > bytes.length) throw wrongCount('fewer');
  const { data, take } = make(count, name);
  let at = 0;
  const takeNext = (cursor: Cursor) => {
    if (at === count) throw wrongCount('more');
    take(cursor, at);
    at += 1;
  };
  readFields(bytes, (found, foundWire, cursor) => {
    if (found < 1 || found >= FIELDS.length) return false;
    if (found !== field) {
      throw new ServeFailure('invalid', `${shown(name)} has datatype ${datatype}, but uses ${FIELDS[found]}`, {
        hint: `use ${FIELDS[field]}`,
      });
    }
    if (foundWire === wire) takeNext(cursor);
    else if (foundWire === BYTES) readPacked(cursor, takeNext);
    else throw malformed(`${FIELDS[field]} has elements of another type`);
    return true;
  });
  if (at < count) throw wrongCount(String(at));
  return data;
}

function floats(
  data: Float32Array | Float64Array,
  read: (cursor: Cursor, from: number) => number,
): ReturnType<Contents['make']> {
  return {
    data,
    take(cursor, at) {
      data[at] = read(cursor, advance(cursor, data.BYTES_PER_ELEMENT));
    },
  };
}

/** Integers of up to 32 bits, from varints. */
function integers(
  field: number,
  array: (count: number) => Uint8Array | Int8Array | Int16Array | Int32Array | Uint16Array | Uint32Array,
  read: (cursor: Cursor) => number,
): Contents {
  return {
    field,
    wire: VARINT,
    make(count, name) {
      const data = array(count);
      return {
        data,
        take(cursor, at) {
          readVarint(cursor);
          const value = read(cursor);
          data[at] = value;
          if (data[at] !== value)
            throw new ServeFailure('invalid', `element ${at} of ${shown(name)} does not fit its datatype`);
        },
      };
    },
  };
}

/** Integers of 64 bits, from varints. */
function long(field: number, array: (count: number) => BigInt64Array | BigUint64Array): Contents {
  return {
    field,
    wire: VARINT,
    make(count) {
      const data = array(count);
      const halves = new Uint32Array(data.buffer);
      return {
        data,
        take(cursor, at) {
          readVarint(cursor);
          halves[2 * at] = cursor.low;
          halves[2 * at + 1] = cursor.high;
        },
      };
    },
  };
}
