import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { ask, jsonOf } from './ask.ts';
import { bodyOf, bytesOfArray, type Input, inferAt, read, textBytes } from './v2-client.ts';
import { data, FLOWER, flower, LIMIT, mixed, post as postTo, ROW, refuses, refusingServer, SECRET_TEXT } from './v2-refused.ts';

const server = refusingServer();
const BYTES = bytesOfArray(Float32Array.from(ROW));
const post = (body: string | Buffer, headers: Record<string, string> = {}, model = 'iris') =>
  postTo(server(), body, { headers, model });

const binary = (input: Partial<Input> & { bytes: Buffer }, model = 'iris') =>
  inferAt(server(), model, [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], ...input }]);

it('refuses binary tensors that are not what they say', async () => {
  refuses(await binary({ bytes: BYTES.subarray(0, 15) }), 400, /^measurements has 15 bytes; its shape and datatype need 16$/);
  refuses(await binary({ bytes: BYTES, shape: [500, 4] }), 400, /^measurements has 16 bytes; its shape and datatype need/);
  refuses(
    await binary({ bytes: BYTES, shape: [2 ** 40, 4] }),
    413,
    /^the request has 1099511627776 rows, but at most 500 are accepted$/,
  );
  refuses(
    await binary({ bytes: Buffer.from([1, 0, 2, 1]), datatype: 'BOOL' }),
    400,
    /^element 2 of measurements is neither 0 nor 1/,
  );
  const big = bytesOfArray(BigInt64Array.of(1n, 2n ** 53n + 1n, 1n, 1n));
  refuses(await binary({ bytes: big, datatype: 'INT64' }), 400, /^element 1 of measurements is an integer beyond 2\^53/);
  const plan = { name: 'plan', datatype: 'BYTES', shape: [2] };
  refuses(await binary({ ...plan, bytes: textBytes(['a']) }, 'mixed'), 400, /^plan ends within an element$/);
  refuses(
    await binary({ ...plan, bytes: textBytes(['a', 'b']).subarray(0, 9) }, 'mixed'),
    400,
    /^plan ends within an element$/,
  );
  refuses(
    await binary({ ...plan, bytes: textBytes(['a', 'b', 'c']) }, 'mixed'),
    400,
    /^plan has 5 bytes after its last element$/,
  );
  refuses(await binary({ ...plan, shape: [500], bytes: textBytes(['a']) }, 'mixed'), 400, /^plan ends within an element$/);
  const latin = Buffer.from(`${SECRET_TEXT}é`, 'latin1');
  refuses(await binary({ ...plan, bytes: textBytes(['a', latin]) }, 'mixed'), 400, /^element 1 of plan is not UTF-8$/);
  const unsigned = Buffer.alloc(8, 0xff);
  refuses(await binary({ name: 'logins', datatype: 'UINT64', shape: [1], bytes: unsigned }, 'mixed'), 400, /^plan is missing$/);
});

it('refuses lengths that are not those of the body', async () => {
  const { body, headers } = bodyOf([{ ...FLOWER, data: undefined, bytes: BYTES }]);
  const length = Number(headers['inference-header-content-length']);
  expect((await post(body, headers)).status).toBe(200);
  const sent = (text: string, sentBody: Buffer = body) => post(sentBody, { 'inference-header-content-length': text });
  for (const text of ['-1', 'x', '1e3', '0x10', '', ' ', `${length}, ${length}`, '9'.repeat(400)]) {
    refuses(await sent(text), 400, /^Inference-Header-Content-Length is not a number of bytes$/);
  }
  refuses(await sent(String(body.length + 1)), 400, /^Inference-Header-Content-Length is \d+, but the body has \d+ bytes$/);
  refuses(await sent(String(length - 1)), 400, /^the body is not JSON$/);
  refuses(await sent(String(length + 1)), 400, /^the body is not JSON$|^the JSON is not UTF-8$/);
  refuses(await sent('0'), 400, /^the body is not JSON$/);
  // Cut off, and too long.
  refuses(await sent(String(length), body.subarray(0, -1)), 400, /is 16; the binary part has 15 bytes left$/);
  refuses(
    await sent(String(length), Buffer.concat([body, Buffer.alloc(3)])),
    400,
    /^3 bytes of the binary part belong to no tensor$/,
  );
  for (const size of [-1, 1.5, '16', null, 1e300]) {
    const json = Buffer.from(flower({ data: undefined, parameters: { binary_data_size: size } }));
    const answer = await post(Buffer.concat([json, BYTES]), { 'inference-header-content-length': String(json.length) });
    refuses(answer, 400, /^binary_data_size of measurements is not a number of bytes$/);
  }
});

it('refuses bodies that are not in their encoding', async () => {
  const body = Buffer.from(flower({}));
  refuses(await post(body, { 'content-encoding': 'gzip' }), 400, /^the body is not gzip$/);
  refuses(await post(gzipSync(body).subarray(0, -9), { 'content-encoding': 'gzip' }), 400, /^the body is not gzip$/);
  refuses(await post(gzipSync(body), { 'content-encoding': 'deflate' }), 400, /^the body is not deflate$/);
  refuses(await post(gzipSync(body)), 400, /^the JSON is not UTF-8$/);
  const brotli = await post(brotliCompressSync(body), { 'content-encoding': 'br' });
  refuses(brotli, 400, /^Content-Encoding br is not supported$/, /gzip, deflate/);
  refuses(
    await post(gzipSync(gzipSync(body)), { 'content-encoding': 'gzip, gzip' }),
    400,
    /^Content-Encoding gzip, gzip is not/,
  );
  refuses(await post(body, { 'content-encoding': 'constructor' }), 400, /^Content-Encoding constructor is not supported$/);
  refuses(await post('', {}), 400, /^the request has no body$/);
  refuses(await post(Buffer.from(flower({ name: 'é' }), 'latin1')), 400, /^the JSON is not UTF-8$/);
});

it('refuses a zip bomb without inflating it all', async () => {
  // 1 GB inside 1 MB.
  const bomb = Buffer.concat(new Array(16).fill(gzipSync(Buffer.alloc(64 * 2 ** 20))));
  expect(bomb.length).toBeLessThan(LIMIT * 2);
  const before = process.memoryUsage().rss;
  const answer = await post(bomb.subarray(0, LIMIT - 1), { 'content-encoding': 'gzip' });
  refuses(answer, 413, /^the inflated body has more than 1048576 bytes$/);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  const deflated = await post(deflateSync(Buffer.alloc(2 * LIMIT)), { 'content-encoding': 'deflate' });
  refuses(deflated, 413, /^the inflated body has more than/);
});

it('refuses more rows, longer texts and more lists than its limits', async () => {
  const many = { name: 'measurements', datatype: 'FP32', shape: [100_000, 4], bytes: Buffer.alloc(0) };
  const { body, headers } = bodyOf([{ ...many, shape: [501, 4], bytes: Buffer.alloc(501 * 16) }]);
  refuses(await post(body, headers), 413, /^the request has 501 rows, but at most 500 are accepted$/, /500 rows/);
  const json = data(`[${'1,'.repeat(399_999)}1]`, 'UINT8').replace('[1,4]', '[100000,4]');
  refuses(await post(json), 413, /^the request has 100000 rows, but at most 500 are accepted$/);
  const long = `"${SECRET_TEXT}${'x'.repeat(100_000)}"`;
  refuses(await post(mixed(long, '1', 'true'), {}, 'mixed'), 400, /^element 0 of plan has more than 1000 characters$/);
  const nested = '['.repeat(LIMIT - 1);
  const begin = performance.now();
  refuses(await post(nested), 413, /^the JSON has more than 131072 lists and objects$/, /flat, or in binary/);
  expect(performance.now() - begin).toBeLessThan(2000);
  // Below the limit of lists, but deep.
  refuses(await post(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 400, /^the body is not an object$/);
  refuses(await post(data(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), 400, /^data of measurements is not 1 lists of 4/);
  refuses(await post(`${'{"inputs":'.repeat(50_000)}1${'}'.repeat(50_000)}`), 400, /^inputs is not a list$/);
});

it('refuses a body beyond the limit, with and without its length', async () => {
  const body = Buffer.alloc(LIMIT + 1, ' ');
  refuses(await post(body), 413, /^the body is larger/);
  refuses(await post(body, { 'transfer-encoding': 'chunked' }), 413, /^the body is larger/);
});

it('counts lists outside texts only', async () => {
  const brackets = `"${'[{'.repeat(70_000)}\\"[\\\\"`;
  refuses(await post(`{"id":${brackets},"inputs":[]}`), 400, /^the request has no inputs$/);
});

it('refuses unknown models and versions', async () => {
  const { body } = bodyOf([FLOWER]);
  for (const name of ['irisx', '__proto__', 'constructor', '..%2f..%2fetc%2fpasswd', '%00', 'a'.repeat(90)]) {
    const answer = await ask(`${server()}/v2/models/${name}/infer`, { body });
    expect([answer.status, typeof (jsonOf(answer) as { error: unknown }).error]).toEqual([404, 'string']);
    expect((await ask(`${server()}/v2/models/${name}`)).status).toBe(404);
    expect((await ask(`${server()}/v2/models/${name}/ready`)).status).toBe(404);
  }
  refuses(await ask(`${server()}/v2/models/irs/infer`, { body }), 404, /^there is no model irs$/, /^did you mean iris\?$/);
  const version = `${server()}/v2/models/iris/versions/2026-11-28`;
  for (const path of [version, `${version}/ready`]) {
    refuses(await ask(path), 404, /^there is no version 2026-11-28 of the model iris$/, /^did you mean 2026-11-27\?$/);
  }
  refuses(await ask(`${version}/infer`, { body }), 404, /^there is no version/);
});

it('answers after all that', async () => {
  expect(read(await inferAt(server(), 'iris', [FLOWER])).outputs[0]?.data).toHaveLength(1);
  expect(Object.hasOwn(Object.prototype, 'inputs')).toBe(false);
});
