import { writeRaw } from '../oip/raw.ts';
import type { InferAnswer, OutputTensor } from '../oip/tensor.ts';

// Numbers of fields of ModelInferResponse and its parts, as in open_inference_grpc.proto.
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

/** A ModelInferResponse. @param raw whether the request had raw contents: then the answer has too */
export function writeAnswer({ model, id, outputs }: InferAnswer, raw: boolean): Buffer {
  return Buffer.concat([
    field(MODEL_NAME, model.name),
    field(MODEL_VERSION, model.version),
    ...(id === undefined ? [] : [field(ID, id)]),
    ...outputs.map((output) => field(OUTPUTS, tensor(output, raw))),
    ...(raw ? outputs.map((output) => field(RAW_OUTPUT_CONTENTS, writeRaw(output))) : []),
  ]);
}

function tensor(output: OutputTensor, raw: boolean): Buffer {
  const { name, datatype, shape } = output;
  return Buffer.concat([
    field(NAME, name),
    field(DATATYPE, datatype),
    field(SHAPE, Buffer.concat(shape.map(varint))),
    ...(raw ? [] : [field(CONTENTS, contents(output))]),
  ]);
}

/** Packed floats are little-endian elements without gaps, which is their raw form. */
function contents(output: OutputTensor): Buffer {
  const { data } = output;
  if (data instanceof Float32Array) return field(FP32_CONTENTS, writeRaw(output));
  if (data instanceof Float64Array) return field(FP64_CONTENTS, writeRaw(output));
  return Buffer.concat(data.map((text) => field(BYTES_CONTENTS, text)));
}

/** A length-delimited field. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** @param value an integer from 0 to 2^53 */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
