import { writeRaw } from '../oip/raw.ts';
import type { InferAnswer, OutputTensor } from '../oip/tensor.ts';

// Field numbers of ModelInferResponse and its parts, as in open_inference_grpc.proto.
const MODEL_NAME = 1;
const MODEL_VERSION = 2;
const ID = 3;
const OUTPUTS = 5;
const RAW_OUTPUT_CONTENTS = 6;

const NAME = 1;
const DATATYPE = 2;
const SHAPE = 3;
const CONTENTS = 5;

const FP32_CONTENTS = 6;
const FP64_CONTENTS = 7;
const BYTES_CONTENTS = 8;

/** Upper bound of the bytes of a field's number and length, or of an integer. */
const VARINTS = 20;

/** Messages are written back to front, so that the length of each part is known when it is written. */
interface Target {
  readonly bytes: Buffer;
  /** Where the bytes written so far begin. */
  at: number;
}

/** Encodes a ModelInferResponse. @param raw whether the request had raw contents; the answer then has, too */
export function writeAnswer({ model, id = '', outputs }: InferAnswer, raw: boolean): Buffer {
  const size = outputs.reduce((sum, output) => sum + mostBytes(output), mostOf([model.name, model.version, id]));
  const target: Target = { bytes: Buffer.allocUnsafe(size), at: size };
  if (raw) backwards(outputs, (output) => bytesField(target, RAW_OUTPUT_CONTENTS, writeRaw(output)));
  backwards(outputs, (output) => messageField(target, OUTPUTS, () => tensor(target, output, raw)));
  if (id !== '') textField(target, ID, id);
  textField(target, MODEL_VERSION, model.version);
  textField(target, MODEL_NAME, model.name);
  return target.bytes.subarray(target.at);
}

function mostBytes({ name, datatype, shape, data }: OutputTensor): number {
  const contents = 'byteLength' in data ? data.byteLength : mostOf(data);
  return mostOf([name, datatype]) + VARINTS * (shape.length + 5) + contents;
}

/** A UTF-16 unit takes at most three bytes of UTF-8. */
function mostOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + 3 * text.length + VARINTS, 0);
}

function tensor(target: Target, output: OutputTensor, raw: boolean): void {
  if (!raw) messageField(target, CONTENTS, () => contents(target, output));
  messageField(target, SHAPE, () => backwards(output.shape, (size) => varint(target, size)));
  textField(target, DATATYPE, output.datatype);
  textField(target, NAME, output.name);
}

/** Packed floats are little-endian elements without gaps, the same as their raw form. */
function contents(target: Target, output: OutputTensor): void {
  const { data } = output;
  if (data instanceof Float32Array) bytesField(target, FP32_CONTENTS, writeRaw(output));
  else if (data instanceof Float64Array) bytesField(target, FP64_CONTENTS, writeRaw(output));
  else backwards(data, (text) => textField(target, BYTES_CONTENTS, text));
}

function backwards<T>(values: readonly T[], write: (value: T) => void): void {
  for (let i = values.length - 1; i >= 0; i -= 1) write(values[i] as T);
}

/** A length-delimited field whose contents `write` writes. */
function messageField(target: Target, number: number, write: () => void): void {
  const end = target.at;
  write();
  head(target, number, end - target.at);
}

function bytesField(target: Target, number: number, bytes: Uint8Array): void {
  target.at -= bytes.length;
  target.bytes.set(bytes, target.at);
  head(target, number, bytes.length);
}

function textField(target: Target, number: number, text: string): void {
  const length = Buffer.byteLength(text);
  target.at -= length;
  target.bytes.write(text, target.at, length);
  head(target, number, length);
}

function head(target: Target, number: number, length: number): void {
  varint(target, length);
  varint(target, number * 8 + 2);
}

/** @param value an integer from 0 to 2^53 */
function varint(target: Target, value: number): void {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  target.at -= size;
  let rest = value;
  for (let i = 0; i < size; i += 1) {
    target.bytes[target.at + i] = (rest % 0x80) | (i < size - 1 ? 0x80 : 0);
    rest = Math.floor(rest / 0x80);
  }
}
