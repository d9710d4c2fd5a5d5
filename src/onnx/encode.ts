import { DOUBLE, FLOAT, INT32, INT64 } from './element-types.ts';
import { ATTRIBUTE, NODE, OPSET, TENSOR } from './fields.ts';

/** A field of a protobuf message. @param content string, bytes, a message in parts, or a non-negative integer */
export function field(number: number, content: string | Uint8Array | number | readonly Uint8Array[]): Buffer {
  if (typeof content === 'number') return Buffer.concat([varint(number * 8), varint(content)]);
  const bytes =
    typeof content === 'string' ? Buffer.from(content) : content instanceof Uint8Array ? content : Buffer.concat(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a non-negative integer`);
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array;

/** A constant of a graph, row-major. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface Operation {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integer attributes, none negative. */
  readonly integers?: Readonly<Record<string, number>>;
}

/** `AttributeProto.AttributeType.INT` */
const INT = 2;

/** A `TensorProto`. */
export function tensorMessage({ name, shape, data }: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = data;
  return Buffer.concat([
    ...shape.map((size) => field(TENSOR.shape, size)),
    field(TENSOR.elementType, elementType(data)),
    field(TENSOR.name, name),
    // Little-endian, like every machine that ONNX Runtime supports.
    field(TENSOR.raw, Buffer.from(buffer, byteOffset, byteLength)),
  ]);
}

/** A `NodeProto` of the standard operator set. */
export function nodeMessage({ operator, inputs, outputs, integers = {} }: Operation, name: string): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => field(NODE.inputs, input)),
    ...outputs.map((output) => field(NODE.outputs, output)),
    field(NODE.name, name),
    field(NODE.operator, operator),
    ...Object.entries(integers).map(([key, value]) =>
      field(NODE.attributes, [field(ATTRIBUTE.name, key), field(ATTRIBUTE.integer, value), field(ATTRIBUTE.type, INT)]),
    ),
  ]);
}

/** An `OperatorSetIdProto`. */
export function opsetMessage(domain: string, version: number): Buffer {
  return Buffer.concat([field(OPSET.domain, domain), field(OPSET.version, version)]);
}

function elementType(data: TensorData): number {
  if (data instanceof Float32Array) return FLOAT;
  if (data instanceof Int32Array) return INT32;
  return data instanceof BigInt64Array ? INT64 : DOUBLE;
}
