import { isUtf8 } from 'node:buffer';
import { ServeFailure } from '../failure.ts';
import { shown } from '../shown.ts';
import { type Datatype, ELEMENT_BYTES } from './datatype.ts';
import type { OutputTensor, TensorData } from './tensor.ts';

// The raw form of the protocol, in binary parts of REST and in raw contents of gRPC: little-endian elements without gaps, and for
// BYTES the length of each element as 4 bytes before it. ONNX Runtime runs on little-endian machines only, so typed arrays can
// be views of it.

const ARRAYS = {
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

const LENGTH_BYTES = 4;
/** More than any tensor has; a shape appears in messages. */
const MOST_DIMENSIONS = 8;

interface RawTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/**
 * The elements of a tensor; a view of `bytes` where they are aligned.
 *
 * @throws ServeFailure `invalid` if the bytes are not what the shape says, a BOOL is not 0 or 1, or a text is not UTF-8
 */
export function readRaw({ name, datatype, shape }: RawTensor, bytes: Uint8Array): TensorData {
  const count = elementsOf(name, shape);
  const size = ELEMENT_BYTES[datatype];
  if (size === undefined || datatype === 'BYTES') return readTexts(name, bytes, count);
  if (bytes.length !== count * size) {
    throw new ServeFailure('invalid', `${shown(name)} has ${bytes.length} bytes; its shape and datatype need ${count * size}`);
  }
  if (datatype === 'BOOL') {
    const wrong = bytes.findIndex((byte) => byte > 1);
    if (wrong >= 0) throw new ServeFailure('invalid', `element ${wrong} of ${shown(name)} is neither 0 nor 1, as BOOL is`);
    return bytes;
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new ARRAYS[datatype](aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
}

/**
 * The number of elements of a shape.
 *
 * @throws ServeFailure `invalid` if a dimension is not an integer from 0, or the product is beyond 2^53
 */
export function elementsOf(name: string, shape: readonly number[]): number {
  if (shape.length > MOST_DIMENSIONS) throw new ServeFailure('invalid', `${shown(name)} has ${shape.length} dimensions`);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) && Number.isSafeInteger(count))
    return count;
  throw new ServeFailure('invalid', `${shown(name)} has a shape that is not a list of sizes`);
}

function readTexts(name: string, bytes: Uint8Array, count: number): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // The shape is the client's word: nothing is allocated for elements that cannot be there.
  if (count * LENGTH_BYTES > buffer.length) throw cutOff(name);
  const texts: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + LENGTH_BYTES > buffer.length) throw cutOff(name);
    const start = at + LENGTH_BYTES;
    at = start + buffer.readUInt32LE(at);
    if (at > buffer.length) throw cutOff(name);
    texts.push(readText(name, buffer.subarray(start, at), i));
  }
  if (at !== buffer.length) {
    throw new ServeFailure('invalid', `${shown(name)} has ${buffer.length - at} bytes more than its elements`);
  }
  return texts;
}

function cutOff(name: string): ServeFailure {
  return new ServeFailure('invalid', `${shown(name)} ends within an element`, {
    hint: 'each BYTES element is its length in 4 bytes, little-endian, and then its bytes',
  });
}

/**
 * A text from its bytes.
 *
 * @param element position in the tensor, for the message
 * @throws ServeFailure `invalid` if they are not UTF-8
 */
export function readText(name: string, bytes: Uint8Array, element: number): string {
  if (!isUtf8(bytes)) throw new ServeFailure('invalid', `element ${element} of ${shown(name)} is not UTF-8`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** The raw form of an output; a view of its data, if they are numbers. */
export function writeRaw({ data }: Pick<OutputTensor, 'data'>): Buffer {
  if (data instanceof Float32Array || data instanceof Float64Array) {
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }
  const sizes = data.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + LENGTH_BYTES + size, 0));
  let at = 0;
  for (const [i, size] of sizes.entries()) {
    bytes.writeUInt32LE(size, at);
    at += LENGTH_BYTES;
    // Texts of a rejected row, or of rows that were not rejected, are empty.
    if (size > 0) bytes.write(data[i] as string, at);
    at += size;
  }
  return bytes;
}
