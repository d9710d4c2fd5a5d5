import { compressionAlgorithms } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { repository } from '../../support/project.ts';
import { IRIS, served } from '../served.ts';
import { type Client, clientOf, failure } from './client.ts';

const INVALID = 'INVALID_ARGUMENT';

async function servedOne(folder = IRIS): Promise<Client> {
  const { addresses } = await served([folder], { grpcPort: 0 });
  return clientOf(addresses.grpc);
}

/** A request for iris with one tensor. */
function request(tensor: object, rest: object = {}) {
  return { model_name: 'iris', inputs: [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], ...tensor }], ...rest };
}

const FOUR = { contents: { fp32_contents: [5.1, 3.5, 1.4, 0.2] } };

/** A request, and what its refusal says. */
const REFUSED: Readonly<Record<string, readonly [request: object, code: string, details: RegExp]>> = {
  'too few elements': [
    request({ contents: { fp32_contents: [1, 2, 3] } }),
    INVALID,
    /^measurements has 3 elements; its shape needs 4$/,
  ],
  'too many elements': [request({ contents: { fp32_contents: [1, 2, 3, 4, 5] } }), INVALID, /more elements; its shape needs 4/],
  'a shape that promises gigabytes': [
    request({ ...FOUR, shape: [2 ** 40, 4] }),
    'RESOURCE_EXHAUSTED',
    /^the request has 1099511627776 rows, but at most \d+ are accepted\n/,
  ],
  'a shape that promises more than is there': [
    request({ ...FOUR, shape: [500, 4] }),
    INVALID,
    /^measurements has fewer elements; its shape needs 2000$/,
  ],
  'a shape beyond 2^53': [
    request({ ...FOUR, shape: ['4611686018427387904', 4] }),
    INVALID,
    /has a shape that is not a list of sizes/,
  ],
  'a negative size': [request({ ...FOUR, shape: [-1, -4] }), INVALID, /has a shape that is not a list of sizes/],
  'a shape of another width': [
    request({ ...FOUR, shape: [2, 2] }),
    INVALID,
    /^measurements has shape \[2, 2\]\nhint: send \[rows, 4\]/,
  ],
  'no shape': [request({ contents: { fp32_contents: [1] }, shape: [] }), INVALID, /^the request has no rows$/],
  'more dimensions than a tensor has': [
    request({ ...FOUR, shape: Array(17).fill(1) }),
    'RESOURCE_EXHAUSTED',
    /more than 16 dimensions/,
  ],
  'contents of another datatype': [
    request({ contents: { fp64_contents: [1, 2, 3, 4] } }),
    INVALID,
    /^measurements has datatype FP32, but uses fp64_contents\nhint: use fp32_contents$/,
  ],
  'an integer that does not fit': [
    request({ datatype: 'INT8', contents: { int_contents: [1, 2, 300, 4] } }),
    INVALID,
    /^element 2 of measurements does not fit its datatype$/,
  ],
  'an INT64 that a float cannot hold': [
    request({ datatype: 'INT64', contents: { int64_contents: ['9007199254740993', '2', '1', '4'] } }),
    INVALID,
    /^element 0 of measurements is an integer beyond 2\^53/,
  ],
  'a text for a number': [
    request({ datatype: 'BYTES', contents: { bytes_contents: ['a', 'b', 'c', 'd'].map(Buffer.from) } }),
    INVALID,
    /measurements has datatype BYTES/,
  ],
  'a datatype that only raw contents can have': [
    request({ ...FOUR, datatype: 'FP16' }),
    INVALID,
    /FP16, which is not supported/,
  ],
  'no datatype': [request({ ...FOUR, datatype: '' }), INVALID, /unknown datatype/],
  'raw beside typed contents': [
    request(FOUR, { raw_input_contents: [Buffer.alloc(16)] }),
    INVALID,
    /^measurements has both contents and raw_input_contents\nhint: send one of the two$/,
  ],
  'raw contents that are too short': [
    request({}, { raw_input_contents: [Buffer.alloc(15)] }),
    INVALID,
    /has 15 bytes; its shape and datatype need 16/,
  ],
  'raw contents without a tensor': [
    request({}, { raw_input_contents: [Buffer.alloc(16), Buffer.alloc(16)] }),
    INVALID,
    /there are 2 raw_input_contents for 1 inputs/,
  ],
  'no inputs': [{ model_name: 'iris' }, INVALID, /^the request has no inputs$/],
  'an unknown input': [
    request({ ...FOUR, name: 'measurement' }),
    INVALID,
    /no input measurement\nhint: did you mean measurements\?/,
  ],
  'an unknown output': [request(FOUR, { outputs: [{ name: 'probabilitys' }] }), INVALID, /did you mean probabilities\?/],
  'an unknown model': [{ ...request(FOUR), model_name: 'irish' }, 'NOT_FOUND', /irish/],
  'an unknown version': [request(FOUR, { model_version: '1999' }), 'NOT_FOUND', /iris/],
  'a rejected row that would not show': [
    request({ contents: { fp32_contents: [5.1, 3.5, Number.NaN, 0.2] } }, { outputs: [{ name: 'label' }] }),
    INVALID,
    /^1 of 1 rows cannot be scored: row 0: .*petal_length\nrow 0: .*petal_length\nhint: also request the output rejected/,
  ],
  'an output as a classification': [
    request(FOUR, { outputs: [{ name: 'label', parameters: { classification: { int64_param: 2 } } }] }),
    INVALID,
    /^the parameter classification is not supported$/,
  ],
  'an output into shared memory': [
    request(FOUR, { outputs: [{ name: 'label', parameters: { shared_memory_region: { string_param: 'a' } } }] }),
    INVALID,
    /^the parameter shared_memory_region is not supported$/,
  ],
  'a timeout that is none': [request(FOUR, { parameters: { timeout: { string_param: 'soon' } } }), INVALID, /timeout/],
};

it('says what is wrong with a request, and nothing of its values', async () => {
  const client = await servedOne();
  const found = await Promise.all(
    Object.entries(REFUSED).map(async ([name, [wrong]]) => [name, await failure(client.infer(wrong))] as const),
  );
  for (const [name, { code, details }] of found) {
    const [, expected, words] = REFUSED[name] ?? [];
    expect({ name, code }).toEqual({ name, code: expected });
    expect(details, name).toMatch(words ?? /never/);
    expect(details, name).not.toMatch(/9007199254740993|300|5\.1/);
  }
  await client.infer(request(FOUR));
});

it('answers the rows around a rejected one, whose numbers are NaN', async () => {
  const client = await servedOne();
  const values = [5.1, 3.5, 1.4, 0.2, 5.1, 3.5, Number.NaN, 0.2];
  const { outputs } = await client.infer(request({ shape: [2, 4], contents: { fp32_contents: values } }));
  const [label, probabilities, rejected] = outputs.map(({ contents }) => contents);
  expect(label?.bytes_contents?.map(String)).toEqual(['setosa', '']);
  expect(probabilities?.fp32_contents?.slice(3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(probabilities?.fp32_contents?.[0]).toBeGreaterThan(0.9);
  expect(rejected?.bytes_contents?.map(String)).toEqual(['', expect.stringContaining('petal_length')]);
});

it('refuses messages that are malformed or larger than the limit, and takes the next', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0, limits: { body: 20_000 } });
  const client = clientOf(addresses.grpc);
  const send = (bytes: Buffer) =>
    failure(
      new Promise((resolve, reject) => {
        const path = '/inference.GRPCInferenceService/ModelInfer';
        client.stub.makeUnaryRequest(
          path,
          (sent: Buffer) => sent,
          (answer: Buffer) => answer,
          bytes,
          (error, answer) => (error ? reject(error) : resolve(answer)),
        );
      }),
    );
  const text = (field: number, value: string) => Buffer.from([field * 8 + 2, value.length, ...Buffer.from(value, 'latin1')]);
  expect(await send(Buffer.from([0x0a, 0x7f]))).toMatchObject({ code: INVALID, details: expect.stringContaining('malformed') });
  expect(await send(Buffer.from([0x00]))).toMatchObject({ code: INVALID });
  expect(await send(Buffer.from([0x0b, 0x0c]))).toMatchObject({ code: INVALID });
  expect(await send(Buffer.alloc(11, 0xff))).toMatchObject({ code: INVALID });
  expect(await send(text(1, '\xff'))).toEqual({ code: INVALID, details: 'the name of the model is not UTF-8' });
  // Empty tensors of two bytes each.
  const empty = Buffer.from([0x2a, 0x00].join().split(',').map(Number));
  expect(await send(Buffer.concat([text(1, 'iris'), ...Array<Buffer>(9_900).fill(empty)]))).toMatchObject({ code: INVALID });
  const large = { contents: { fp32_contents: Array(6000).fill(1) }, shape: [1500, 4] };
  expect(await failure(client.infer(request(large)))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  const gzip = { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip };
  const zipping = clientOf(addresses.grpc, undefined, gzip);
  expect((await zipping.infer(request(FOUR))).outputs).toHaveLength(3);
  expect(await failure(zipping.infer(request(large)))).toEqual({
    code: 'RESOURCE_EXHAUSTED',
    details: expect.stringContaining('decompresses to a size larger than 20000'),
  });
  expect((await client.infer(request(FOUR))).outputs).toHaveLength(3);
});

const MIXED = repository('test/fixtures/models/mixed');

/** Columns of integers, booleans and texts. */
function mixed(plan: object) {
  return {
    model_name: 'mixed',
    inputs: [
      { name: 'plan', datatype: 'BYTES', shape: [2], contents: plan },
      { name: 'logins', datatype: 'INT64', shape: [2, 1], contents: { int64_contents: ['-3', '9007199254740993'] } },
      { name: 'active', datatype: 'BOOL', shape: [2], contents: { bool_contents: [true, false] } },
    ],
  };
}

it('takes columns of texts, integers of 64 bits and booleans, and refuses a text that is not UTF-8', async () => {
  const client = await servedOne(MIXED);
  const { outputs } = await client.infer(mixed({ bytes_contents: ['pro', 'gratuït'].map((text) => Buffer.from(text)) }));
  const [first, second] = outputs[0]?.contents?.fp32_contents ?? [];
  expect(first).toBeCloseTo(1 / (1 + Math.exp(2 - 0.375)), 6);
  expect(second).toBe(0);
  const latin = mixed({ bytes_contents: ['pro', 'gratu\xeft'].map((text) => Buffer.from(text, 'latin1')) });
  expect(await failure(client.infer(latin))).toEqual({ code: INVALID, details: 'element 1 of plan is not UTF-8' });
  expect(await failure(client.infer(mixed({ bytes_contents: [Buffer.from('pro')] })))).toMatchObject({ code: INVALID });
});
