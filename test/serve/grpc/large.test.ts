import { once } from 'node:events';
import http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { repository } from '../../support/project.ts';
import { ask } from '../http/ask.ts';
import { textBytes } from '../http/v2-client.ts';
import { IRIS, served } from '../served.ts';
import { type Client, clientOf, failure } from './client.ts';

// Requests as large as the server takes, or larger, that are made to keep it from others.

const MIXED = repository('test', 'fixtures', 'models', 'mixed');
const SIZE = 8 * 2 ** 20;
const CALL = '/inference.GRPCInferenceService/ModelInfer';

/** No refusal takes this long on a machine that is not very busy. */
const MOST_MS = 5000;

async function open(limits: { readonly body?: number } = {}): Promise<{ client: Client; http: string; grpc: string }> {
  const { addresses } = await served([IRIS, MIXED], { grpcPort: 0, limits: { rows: 20_000, ...limits } });
  return { client: clientOf(addresses.grpc), http: addresses.http, grpc: addresses.grpc ?? '' };
}

/** Sends bytes as a ModelInferRequest. */
function sendBytes({ stub }: Client, bytes: Buffer): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const same = (sent: Buffer) => sent;
    stub.makeUnaryRequest(CALL, same, same, bytes, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

function plan(shape: readonly number[], rest: object = {}) {
  return { model_name: 'mixed', inputs: [{ name: 'plan', datatype: 'BYTES', shape, ...rest }] };
}

const MEASUREMENTS = { name: 'measurements', datatype: 'FP32' };

it('refuses more elements than rows have before it reads them', async () => {
  const { client, http } = await open();
  const texts = { raw_input_contents: [Buffer.alloc(4 * 2_000_000)] };
  const typed = { contents: { bytes_contents: Array(2_000_000).fill(Buffer.alloc(0)) } };
  const bytes = { contents: { int_contents: Array(4_000_000).fill(1) }, datatype: 'INT8' };
  const flowers = { model_name: 'iris', inputs: [{ ...MEASUREMENTS, shape: [100_000, 4] }] };
  const cases: [request: object, details: RegExp][] = [
    [{ ...plan([2_000_000]), ...texts }, /^the request has 2000000 rows; at most 20000 are taken/],
    [{ ...plan([1, 2_000_000]), ...texts }, /^the inputs have more than 60000 elements/],
    [plan([2_000_000], typed), /^the request has 2000000 rows/],
    [plan([1, 2_000_000], typed), /^the inputs have more than 60000 elements/],
    [plan([4_000_000], bytes), /^the request has 4000000 rows/],
    [{ ...flowers, raw_input_contents: [Buffer.alloc(100_000 * 16)] }, /^the request has 100000 rows/],
  ];
  for (const [request, details] of cases) {
    expect(await failure(client.infer(request))).toEqual({
      code: 'RESOURCE_EXHAUSTED',
      details: expect.stringMatching(details),
    });
    expect((await ask(`${http}/v2/health/live`)).status).toBe(200);
  }
});

it('refuses contents in millions of parts, and long names of models', async () => {
  const { client, http } = await open();
  const tensor = Buffer.concat([field(5, Buffer.alloc(SIZE / 2)), Buffer.alloc(SIZE / 2 - 100, Buffer.from([0x2a, 0x00]))]);
  const begun = performance.now();
  expect(await failure(sendBytes(client, field(5, tensor)))).toEqual({
    code: 'RESOURCE_EXHAUSTED',
    details: 'the request has more than 64 parts of the contents of a tensor',
  });
  const [name, version] = [
    { model_name: 'x'.repeat(SIZE - 100) },
    { model_name: 'iris', model_version: '9'.repeat(SIZE - 100) },
  ];
  for (const [wrong, details] of [
    [name, /^there is no model x{80}…\n/],
    [version, /^there is no version 9{80}… of the model iris\n/],
  ] as const) {
    expect(await failure(client.infer(wrong))).toEqual({ code: 'NOT_FOUND', details: expect.stringMatching(details) });
    expect(
      await failure(
        client.call('ModelMetadata', { name: wrong.model_name, version: 'model_version' in wrong ? wrong.model_version : '' }),
      ),
    ).toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(performance.now() - begun).toBeLessThan(MOST_MS);
  expect((await ask(`${http}/v2/health/live`)).status).toBe(200);
});

it('refuses a text of 10 MB by its length where the message may be that long', async () => {
  const text = Buffer.alloc(10_000_000, 'x');
  const others = [
    { name: 'logins', datatype: 'INT64', shape: [1], contents: { int64_contents: ['1'] } },
    { name: 'active', datatype: 'BOOL', shape: [1], contents: { bool_contents: [true] } },
  ];
  const { model_name, inputs } = plan([1], { contents: { bytes_contents: [text] } });
  const request = { model_name, inputs: [...inputs, ...others] };
  const { client } = await open();
  expect(await failure(client.infer(request))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  const { client: larger } = await open({ body: 2 * SIZE });
  const long = { code: 'INVALID_ARGUMENT', details: 'element 0 of plan has more than 65536 characters' };
  expect(await failure(larger.infer(request))).toEqual(long);
  const raw = [textBytes([text]), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([1])];
  const heads = request.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
  expect(await failure(larger.infer({ model_name, inputs: heads, raw_input_contents: raw }))).toEqual(long);
});

it('refuses a gzip bomb', async () => {
  const { client, grpc } = await open();
  // 1 GB inside 1 MB.
  const bomb = Buffer.concat(new Array(16).fill(gzipSync(Buffer.alloc(64 * 2 ** 20))));
  const head = Buffer.alloc(5);
  head.writeUInt8(1, 0);
  head.writeUInt32BE(bomb.length, 1);
  const session = http2.connect(`http://${grpc}`);
  onTestFinished(() => session.destroy());
  const before = process.memoryUsage().rss;
  const stream = session.request({
    ':method': 'POST',
    ':path': CALL,
    'content-type': 'application/grpc',
    'grpc-encoding': 'gzip',
    te: 'trailers',
  });
  stream.end(Buffer.concat([head, bomb]));
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  // 8 is RESOURCE_EXHAUSTED.
  expect([headers['grpc-status'], headers['grpc-message']]).toEqual(['8', expect.stringContaining('8388608')]);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  expect(await failure(client.infer({ model_name: 'iris' }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

it('answers with more bytes than it takes', async () => {
  const { client } = await open({ body: 20_000 });
  const raw = Buffer.from(Float32Array.from({ length: 4000 }, (_, i) => [5.1, 3.5, 1.4, 0.2][i % 4] as number).buffer);
  const request = { model_name: 'iris', inputs: [{ ...MEASUREMENTS, shape: [1000, 4] }], raw_input_contents: [raw] };
  const { raw_output_contents: answers } = await client.infer(request);
  expect(answers.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(20_000);
});

/** A length-delimited field of Protocol Buffers. */
function field(number: number, value: Buffer): Buffer {
  const size: number[] = [];
  for (let rest = value.length; ; rest >>>= 7) {
    size.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) break;
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, ...size]), value]);
}
