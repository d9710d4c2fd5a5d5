import { isUtf8 } from 'node:buffer';
import { ServeFailure } from '../failure.ts';
import { shown } from '../shown.ts';
import { type Datatype, ELEMENT_BYTES } from './datatype.ts';
import type { OutputTensor, TensorData } from './tensor.ts';

// The protocol's raw form, in REST's binary parts and gRPC's raw contents: little-endian elements without gaps, and for BYTES a
// 4-byte length before each element. ONNX Runtime runs on little-endian machines only, so typed arrays can be views of it.

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
/** No tensor has more; the limit keeps shapes in messages short. */
const MOST_DIMENSIONS = 8;

interface RawTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/**
 * The elements of a tensor; a view of `bytes` if aligned.
 *
 * @throws ServeFailure `invalid` if the bytes do not match the shape, a BOOL is not 0 or 1, or a string is not UTF-8
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
    if (wrong >= 0)
      throw new ServeFailure('invalid', `element ${wrong} of ${shown(name)} is neither 0 nor 1, as a BOOL must be`);
    return bytes;
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new ARRAYS[datatype](aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
}

/**
 * The number of elements of a shape.
 *
 * @throws ServeFailure `invalid` if a dimension is not a non-negative integer, or the product exceeds 2^53
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
  // Do not trust the client's shape: allocate nothing for elements that cannot be there.
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
    throw new ServeFailure('invalid', `${shown(name)} has ${buffer.length - at} bytes after its last element`);
  }
  return texts;
}

function cutOff(name: string): ServeFailure {
  return new ServeFailure('invalid', `${shown(name)} ends within an element`, {
    hint: 'write each BYTES element as its length, in 4 little-endian bytes, and then its bytes',
  });
}

/**
 * Decodes a string.
 *
 * @param element position in the tensor, for the message
 * @throws ServeFailure `invalid` if the bytes are not UTF-8
 */
export function readText(name: string, bytes: Uint8Array, element: number): string {
  if (!isUtf8(bytes)) throw new ServeFailure('invalid', `element ${element} of ${shown(name)} is not UTF-8`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** The raw form of an output; a view of its data if numeric. */
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
    // Labels of rejected rows are empty, and so is `rejected` for all others.
    if (size > 0) bytes.write(data[i] as string, at);
    at += size;
  }
  return bytes;
}
