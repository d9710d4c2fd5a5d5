import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ServeFailure } from '../../../src/serve/failure.ts';
import { readRequest } from '../../../src/serve/grpc/message.ts';
import { INFERENCE, PROTO } from '../../../src/serve/grpc/packages.ts';
import { toInferRequest } from '../../../src/serve/grpc/request.ts';

// What the packages' own writer makes of a request is read as it was.

interface Method {
  readonly requestSerialize: (request: object) => Buffer;
}

const DEFINITIONS = loadSync(PROTO, { keepCase: true, longs: String });
const { requestSerialize } = (DEFINITIONS[INFERENCE] as unknown as Record<'ModelInfer', Method>).ModelInfer;

const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });

/** For each datatype: the field of its contents, its elements, and how the writer takes one. */
const DATATYPES: readonly (readonly [string, string, fc.Arbitrary<unknown>, (element: never) => unknown])[] = [
  ['BOOL', 'bool_contents', fc.integer({ min: 0, max: 1 }), (bit: number) => bit === 1],
  ['INT8', 'int_contents', int(8), Number],
  ['INT16', 'int_contents', int(16), Number],
  ['INT32', 'int_contents', int(32), Number],
  ['INT64', 'int64_contents', fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), String],
  ['UINT8', 'uint_contents', uint(8), Number],
  ['UINT16', 'uint_contents', uint(16), Number],
  ['UINT32', 'uint_contents', uint(32), Number],
  ['UINT64', 'uint64_contents', fc.bigInt(0n, 2n ** 64n - 1n), String],
  ['FP32', 'fp32_contents', fc.float(), Number],
  ['FP64', 'fp64_contents', fc.double(), Number],
  ['BYTES', 'bytes_contents', text, (element: string) => Buffer.from(element)],
];

// The writer makes no entry of this name.
const name = text.filter((one) => one !== '__proto__');

const parameters = fc.dictionary(
  name,
  fc.oneof(fc.boolean(), fc.maxSafeInteger(), text, fc.double({ noInteger: true, noNaN: true })),
  {
    maxKeys: 3,
    noNullPrototype: true,
  },
);

/** Parameters as the writer takes them. */
function written(values: Readonly<Record<string, unknown>>): object {
  const named = (value: unknown) => {
    if (typeof value === 'boolean') return { bool_param: value };
    if (typeof value === 'string') return { string_param: value };
    return Number.isInteger(value) ? { int64_param: String(value) } : { double_param: value };
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, named(value)]));
}

const tensors = fc.array(
  fc.constantFrom(...DATATYPES).chain(([datatype, field, element, write]) =>
    fc.record({
      name: text,
      datatype: fc.constant(datatype),
      elements: fc.array(element, { maxLength: 40 }),
      parameters,
      field: fc.constant(field),
      write: fc.constant(write as (element: unknown) => unknown),
    }),
  ),
  { maxLength: 5 },
);

it('reads every request that can be written', () => {
  const requests = fc.record({
    name: text,
    version: text,
    id: text,
    parameters,
    tensors,
    outputs: fc.array(text, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(requests, (request) => {
      const bytes = requestSerialize({
        model_name: request.name,
        model_version: request.version,
        id: request.id,
        parameters: written(request.parameters),
        inputs: request.tensors.map(({ name, datatype, elements, field, write, ...tensor }) => ({
          name,
          datatype,
          shape: [elements.length],
          parameters: written(tensor.parameters),
          contents: { [field]: elements.map(write) },
        })),
        outputs: request.outputs.map((name) => ({ name, parameters: written(request.parameters) })),
      });
      const message = readRequest(bytes);
      expect(message).toMatchObject({ name: request.name, version: request.version, raw: [] });
      expect(message.inputs.map((input) => input.parameters)).toEqual(request.tensors.map((tensor) => tensor.parameters));
      const { id, inputs, outputs, ...rest } = toInferRequest(message, () => undefined);
      expect({ id, ...rest }).toEqual({ id: request.id === '' ? undefined : request.id, parameters: request.parameters });
      expect(outputs).toEqual(request.outputs.map((name) => ({ name, parameters: request.parameters })));
      expect(inputs.map(({ name, datatype, shape, data }) => ({ name, datatype, shape, elements: [...data] }))).toEqual(
        request.tensors.map(({ name, datatype, elements }) => ({ name, datatype, shape: [elements.length], elements })),
      );
    }),
  );
});

it('reads elements that are not packed, and contents in two parts', () => {
  const bytes = (...parts: (number | readonly number[])[]) => Buffer.from(parts.flat());
  const contents = [0x2a, 2, 0x10, 7, 0x2a, 4, 0x12, 2, 8, 9];
  const tensor = [...Buffer.from('\x0a\x01a\x12\x04INT8\x1a\x01\x03'), ...contents];
  expect(toInferRequest(readRequest(bytes(0x2a, tensor.length, tensor)), () => undefined).inputs).toEqual([
    { name: 'a', datatype: 'INT8', shape: [3], data: Int8Array.of(7, 8, 9) },
  ]);
});

it('answers or refuses whatever bytes come, and keeps no more than they are', () => {
  const valid = requestSerialize({
    model_name: 'iris',
    inputs: [
      { name: 'a', datatype: 'FP32', shape: [2], contents: { fp32_contents: [1, 2] }, parameters: { b: { int64_param: 1 } } },
    ],
  });
  const spoilt = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
    const bytes = Buffer.from(valid);
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  const random = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(spoilt, random), (bytes) => {
      try {
        toInferRequest(readRequest(bytes), () => undefined);
      } catch (error) {
        expect(error).toBeInstanceOf(ServeFailure);
        refused += 1;
      }
    }),
    { numRuns: 3000 },
  );
  expect(refused).toBeGreaterThan(1000);
});

it('refuses millions of empty tensors before it makes them', () => {
  const many = Buffer.alloc(8 * 2 ** 20, Buffer.from([0x2a, 0x00]));
  const before = process.memoryUsage().heapUsed;
  expect(() => readRequest(many)).toThrow('the request has more than 10000 inputs');
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 2 ** 20);
});

/** The field 1 with no text in it, two bytes each, four million times. */
const EMPTY_TEXTS = Buffer.alloc(8 * 2 ** 20, Buffer.from([0x0a, 0x00]));

/** A length-delimited field. */
function delimited(number: number, value: Buffer): Buffer {
  const size: number[] = [];
  let rest = value.length;
  for (; rest >= 0x80; rest >>>= 7) size.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([number * 8 + 2, ...size, rest]), value]);
}

it('decodes only the last of a text that comes several times', () => {
  const latin = delimited(1, Buffer.from('\xff', 'latin1'));
  const name = Buffer.concat([latin, delimited(1, Buffer.from('iris'))]);
  expect(readRequest(name).name).toBe('iris');
  expect(readRequest(delimited(5, name)).inputs).toMatchObject([{ name: 'iris' }]);
  expect(() => readRequest(Buffer.concat([name, latin]))).toThrow('the name of the model is not UTF-8');
  const begun = performance.now();
  expect(readRequest(EMPTY_TEXTS).name).toBe('');
  expect(readRequest(delimited(5, EMPTY_TEXTS)).inputs).toMatchObject([{ name: '' }]);
  expect(readRequest(delimited(4, EMPTY_TEXTS)).parameters).toEqual({ '': '' });
  expect(performance.now() - begun).toBeLessThan(10_000);
});

it('refuses more parameters in all than a request has', () => {
  const tensor = delimited(5, Buffer.alloc(20_000, Buffer.from([0x22, 0x00])));
  expect(readRequest(tensor).inputs).toHaveLength(1);
  expect(() => readRequest(Buffer.concat([tensor, delimited(5, Buffer.from([0x22, 0x00]))]))).toThrow(
    'the request has more than 10000 parameters',
  );
});

it('puts up to 64 parts of contents together', () => {
  const head = Buffer.from('\x0a\x01a\x12\x04INT8\x1a\x01\x40');
  const parts = (count: number) => Array.from({ length: count }, (_, i) => Buffer.from([0x2a, 2, 0x10, i]));
  const message = (count: number) => readRequest(delimited(5, Buffer.concat([head, ...parts(count)])));
  const [input] = toInferRequest(message(64), () => undefined).inputs;
  expect(input?.data).toEqual(Int8Array.from({ length: 64 }, (_, i) => i));
  expect(() => message(65)).toThrow(expect.objectContaining({ kind: 'too large' }));
});

it('refuses packed elements that end within a number', () => {
  const shape = Buffer.from([0x1a, 1, 0x80, 0x08, 1]);
  expect(() => readRequest(delimited(5, shape))).toThrow('a packed field ends within a number');
});
