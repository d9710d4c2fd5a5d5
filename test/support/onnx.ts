/** A protobuf field: text, bytes, a message or a non-negative number. */
export function field(number: number, content: string | Buffer | number | readonly Buffer[]): Buffer {
  if (typeof content === 'number') return Buffer.concat([varint(number * 8), varint(content)]);
  const bytes =
    typeof content === 'string' ? Buffer.from(content) : Buffer.isBuffer(content) ? content : Buffer.concat(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

// Bytes appended to a model file are merged into the model, as protobuf specifies. The field numbers are those of
// onnx.proto.

export const model = {
  graph: (...parts: Buffer[]) => field(7, parts),
  function: (...parts: Buffer[]) => field(25, parts),
  training: (...parts: Buffer[]) => field(20, field(1, parts)),
};

export const graph = {
  node: (...parts: Buffer[]) => field(1, parts),
  initializer: (tensor: Buffer) => field(5, tensor),
  sparse: (tensor: Buffer) => field(15, field(1, tensor)),
};

export const node = {
  operator: (name: string, domain = '') => Buffer.concat([field(4, name), field(7, domain)]),
  tensor: (content: Buffer) => field(5, [field(1, 'value'), field(5, content)]),
  tensors: (content: Buffer) => field(5, [field(1, 'values'), field(10, content)]),
  graph: (content: Buffer) => field(5, [field(1, 'body'), field(6, content)]),
  graphs: (content: Buffer) => field(5, [field(1, 'bodies'), field(11, content)]),
};

/** A tensor of one float with external data. */
export function externalTensor(location: string): Buffer {
  return Buffer.concat([
    field(1, 1),
    field(2, 1),
    field(8, 'far'),
    field(13, [field(1, 'location'), field(2, location)]),
    field(14, 1),
  ]);
}
