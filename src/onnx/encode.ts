/** A field of a protobuf message: text, bytes, a message in parts, or a number that is not negative. */
export function field(number: number, content: string | Uint8Array | number | readonly Uint8Array[]): Buffer {
  if (typeof content === 'number') return Buffer.concat([varint(number * 8), varint(content)]);
  const bytes =
    typeof content === 'string' ? Buffer.from(content) : content instanceof Uint8Array ? content : Buffer.concat(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} cannot be written`);
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
  /** Attributes that are whole numbers, which none of them is negative. */
  readonly integers?: Readonly<Record<string, number>>;
}

/** `AttributeProto.AttributeType.INT` */
const INT = 2;

// The numbers of fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

/** A `TensorProto`. */
export function tensorMessage({ name, shape, data }: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = data;
  return Buffer.concat([
    ...shape.map((size) => field(1, size)),
    field(2, elementType(data)),
    field(8, name),
    // Little-endian, as every machine is that ONNX Runtime is built for.
    field(9, Buffer.from(buffer, byteOffset, byteLength)),
  ]);
}

/** A `NodeProto` of the standard operator set. */
export function nodeMessage({ operator, inputs, outputs, integers = {} }: Operation, name: string): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => field(1, input)),
    ...outputs.map((output) => field(2, output)),
    field(3, name),
    field(4, operator),
    ...Object.entries(integers).map(([key, value]) => field(5, [field(1, key), field(3, value), field(20, INT)])),
  ]);
}

/** An `OperatorSetIdProto`. */
export function opsetMessage(domain: string, version: number): Buffer {
  return Buffer.concat([field(1, domain), field(2, version)]);
}

/** `TensorProto.DataType` */
function elementType(data: TensorData): number {
  if (data instanceof Float32Array) return 1;
  if (data instanceof Int32Array) return 6;
  return data instanceof BigInt64Array ? 7 : 11;
}
