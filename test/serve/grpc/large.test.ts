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

const MEASUREMENTS = { name: 'measurements', datatype: 'FP32' };

/** A ModelInferRequest for the texts of the model `mixed`. */
function plan(
  shape: readonly number[],
  { datatype = 'BYTES', typed, raw }: { datatype?: string; typed?: Buffer; raw?: Buffer },
): Buffer {
  const tensor = [text(1, 'plan'), text(2, datatype), field(3, Buffer.concat(shape.map(varint)))];
  return Buffer.concat([
    text(1, 'mixed'),
    field(5, Buffer.concat([...tensor, ...(typed === undefined ? [] : [field(5, typed)])])),
    ...(raw === undefined ? [] : [field(7, raw)]),
  ]);
}

it('refuses more elements than rows have before it reads them', async () => {
  const { client, http } = await open();
  // Empty texts, in both forms.
  const raw = Buffer.alloc(4 * 2_000_000);
  const typed = Buffer.alloc(2 * 4_000_000, Buffer.from([0x42, 0x00]));
  const bytes = { datatype: 'INT8', typed: field(2, Buffer.alloc(8_000_000, 1)) };
  const cases: [request: Buffer, details: RegExp][] = [
    [plan([2_000_000], { raw }), /^the request has 2000000 rows, but at most 20000 are accepted/],
    [plan([1, 2_000_000], { raw }), /^the inputs have more than 60000 elements/],
    [plan([4_000_000], { typed }), /^the request has 4000000 rows/],
    [plan([1, 4_000_000], { typed }), /^the inputs have more than 60000 elements/],
    [plan([8_000_000], bytes), /^the request has 8000000 rows/],
    // One text is promised, and millions come.
    [plan([1], { typed }), /^plan has more elements; its shape needs 1$/],
  ];
  for (const [request, details] of cases) {
    const code = details.source.includes('shape') ? 'INVALID_ARGUMENT' : 'RESOURCE_EXHAUSTED';
    const begun = performance.now();
    expect(await failure(sendBytes(client, request))).toEqual({ code, details: expect.stringMatching(details) });
    expect(performance.now() - begun).toBeLessThan(MOST_MS);
    expect((await ask(`${http}/v2/health/live`)).status).toBe(200);
  }
  const flowers = { model_name: 'iris', inputs: [{ ...MEASUREMENTS, shape: [100_000, 4] }] };
  expect(await failure(client.infer({ ...flowers, raw_input_contents: [Buffer.alloc(100_000 * 16)] }))).toEqual({
    code: 'RESOURCE_EXHAUSTED',
    details: expect.stringMatching(/^the request has 100000 rows/),
  });
});

it('refuses contents in millions of parts, and long names of models', async () => {
  const { client, http } = await open();
  const tensor = Buffer.concat([field(5, Buffer.alloc(SIZE / 2)), Buffer.alloc(SIZE / 2 - 100, Buffer.from([0x2a, 0x00]))]);
  const begun = performance.now();
  expect(await failure(sendBytes(client, field(5, tensor)))).toEqual({
    code: 'RESOURCE_EXHAUSTED',
    details: 'the request has more than 64 parts of the contents of a tensor',
  });
  const long = SIZE - 100;
  for (const [name, version, details] of [
    ['x'.repeat(long), '', /^there is no model x{80}…\n/],
    ['iris', '9'.repeat(long), /^there is no version 9{80}… of the model iris\n/],
  ] as const) {
    const refused = { code: 'NOT_FOUND', details: expect.stringMatching(details) };
    expect(await failure(client.infer({ model_name: name, model_version: version }))).toEqual(refused);
    expect(await failure(client.call('ModelMetadata', { name, version }))).toEqual(refused);
  }
  expect(performance.now() - begun).toBeLessThan(MOST_MS);
  expect((await ask(`${http}/v2/health/live`)).status).toBe(200);
});

it('refuses a text of 10 MB by its length where the message may be that long', async () => {
  const long = Buffer.alloc(10_000_000, 'x');
  const others = [
    { name: 'logins', datatype: 'INT64', shape: [1], contents: { int64_contents: ['1'] } },
    { name: 'active', datatype: 'BOOL', shape: [1], contents: { bool_contents: [true] } },
  ];
  const plans = { name: 'plan', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [long] } };
  const request = { model_name: 'mixed', inputs: [plans, ...others] };
  const { client } = await open();
  expect(await failure(client.infer(request))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  const { client: larger } = await open({ body: 2 * SIZE });
  const refused = { code: 'INVALID_ARGUMENT', details: 'element 0 of plan has more than 65536 characters' };
  expect(await failure(larger.infer(request))).toEqual(refused);
  const raw = [textBytes([long]), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([1])];
  const heads = request.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
  expect(await failure(larger.infer({ ...request, inputs: heads, raw_input_contents: raw }))).toEqual(refused);
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

/** A length-delimited field of Protocol Buffers. */
function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([number * 8 + 2]), varint(value.length), value]);
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
