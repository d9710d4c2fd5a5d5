import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Serving, startServing } from '../../../src/serve/process/serving.ts';
import { repository } from '../../support/project.ts';
import { CHURN, IRIS, settingsOf } from '../served.ts';
import { type Answer, ask, jsonOf } from './ask.ts';
import { bodyOf, bytesOfArray, type Input, inferAt, read, textBytes } from './v2-client.ts';

const LIMIT = 2 ** 20;

let serving: Serving;
let http: string;

beforeAll(async () => {
  const folders = [IRIS, CHURN, repository('test/fixtures/tips'), repository('test/fixtures/models/mixed')];
  serving = await startServing(settingsOf(folders, { limits: { body: LIMIT, text: 1000, rows: 500 } }));
  http = serving.addresses.http;
});
afterAll(() => serving.close());

/** A value that occurs in every request below: no error may repeat it. */
const SECRET = 7.31977;
const SECRET_TEXT = 'Quetzalcoatl';
const ROW = [SECRET, 3.5, 1.4, 0.2];
const FLOWER: Input = { name: 'measurements', datatype: 'FP32', shape: [1, 4], data: ROW };
const BYTES = bytesOfArray(Float32Array.from(ROW));
const FEATURES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name, i) => ({
  name,
  datatype: 'FP32',
  shape: [1],
  data: [ROW[i]] as unknown[],
}));

/** Checks status and message, and that no value is repeated and nothing of the server is shown. */
function refuses(answer: Answer, status: number, error: RegExp, hint?: RegExp): void {
  const text = answer.body.toString();
  expect(answer.status, text).toBe(status);
  const json = jsonOf(answer) as { error: string; hint?: string };
  expect(json.error).toMatch(error);
  if (hint !== undefined) expect(json.hint).toMatch(hint);
  expect(text).not.toContain(String(SECRET));
  expect(text).not.toContain(SECRET_TEXT);
  expect(text).not.toMatch(/node_modules|\bat .*\.ts|\/src\//);
  expect(text.length).toBeLessThan(2000);
}

const post = (body: string | Buffer, headers: Record<string, string> = {}, model = 'iris') =>
  ask(`${http}/v2/models/${model}/infer`, { body, headers });

/** The JSON of a request for one flower, with other keys of its tensor. */
const flower = (changes: object) => JSON.stringify({ inputs: [{ ...FLOWER, ...changes }] });
/** With other text for its data. */
const data = (text: string, datatype = 'FP32') =>
  `{"inputs":[{"name":"measurements","shape":[1,4],"datatype":"${datatype}","data":${text}}]}`;
/** One row of the model with a text, an integer and a boolean. */
const mixed = (plan: string, logins: string, active: string, logins_type = 'INT64') => `{"inputs":[
  {"name":"plan","shape":[1],"datatype":"BYTES","data":[${plan}]},
  {"name":"logins","shape":[1],"datatype":"${logins_type}","data":[${logins}]},
  {"name":"active","shape":[1],"datatype":"BOOL","data":[${active}]}]}`;

const BAD_JSON: readonly (readonly [what: string, body: string, error: RegExp, hint?: RegExp])[] = [
  ['not JSON', `${SECRET} {`, /^the body is not JSON$/],
  ['NaN', data(`[${SECRET},NaN,1,1]`), /^the body is not JSON$/, /^JSON has no NaN; send the tensor in binary$/],
  ['-Infinity', data(`[${SECRET},1,1,-Infinity]`), /^the body is not JSON$/, /^JSON has no Infinity/],
  ['a list', '[]', /^the body is not an object$/],
  ['null', 'null', /^the body is not an object$/],
  ['inputs are an object', '{"inputs":{}}', /^inputs is not a list$/],
  ['no inputs', '{}', /^inputs is not a list$/],
  ['inputs are empty', '{"inputs":[]}', /^the request has no inputs$/],
  ['an input is null', '{"inputs":[null]}', /^inputs\[0\] is not an object$/],
  ['an id that is a number', '{"id":1,"inputs":[]}', /^id is not a text$/],
  ['no name', flower({ name: undefined }), /^inputs\[0\] has no name$/],
  ['no data', flower({ data: undefined }), /^measurements has neither data nor binary_data_size$/],
  ['data is an object', flower({ data: { 0: SECRET } }), /^data of measurements is not a list$/],
  ['wrong name', flower({ name: 'measurement' }), /^the model has no input measurement$/, /^did you mean measurements\?$/],
  ['no shape', flower({ shape: undefined }), /^measurements has a shape that is not a list of sizes$/],
  ['negative shape', flower({ shape: [-1, 4] }), /shape that is not a list of sizes/],
  ['broken shape', flower({ shape: [0.5, 8] }), /shape that is not a list of sizes/],
  ['shape of texts', flower({ shape: ['1', '4'] }), /shape that is not a list of sizes/],
  ['shape beyond 2^53', flower({ shape: [2 ** 40, 2 ** 40] }), /shape that is not a list of sizes/],
  ['a shape that asks for 8 GB', flower({ shape: [2 ** 28, 4] }), /^data of measurements has 4 elements; its shape is/],
  ['a shape of many dimensions', flower({ shape: new Array(100_000).fill(1) }), /^measurements has 100000 dimensions$/],
  ['too few data', flower({ shape: [2, 4] }), /^data of measurements has 4 elements; its shape is \[2, 4\]$/],
  ['width of another model', flower({ shape: [4] }), /^measurements has shape \[4\]$/, /^send \[rows, 4\]$/],
  ['three dimensions', flower({ shape: [1, 4, 1] }), /^measurements has shape \[1, 4, 1\]$/],
  ['a scalar', flower({ shape: [], data: [SECRET] }), /^the request has no rows$/],
  ['zero rows', flower({ shape: [0, 4], data: [] }), /^the request has no rows$/],
  [
    'nested another way',
    flower({ data: [[...ROW.slice(0, 2)], ROW.slice(2)] }),
    /^data of measurements is not 1 lists of 4 elements/,
  ],
  ['nested deeper', flower({ data: [ROW.map((value) => [value])] }), /^element 0 of measurements is a list/],
  ['nested after a number', flower({ data: [SECRET, [1], 1, 1] }), /^element 1 of measurements is a list/],
  [
    'unknown datatype',
    flower({ datatype: 'FLOAT' }),
    /^measurements has an unknown datatype FLOAT$/,
    /^choose from BOOL, .*, BYTES$/,
  ],
  ['no datatype', flower({ datatype: undefined }), /^measurements has no datatype$/],
  ['FP16', flower({ datatype: 'FP16' }), /^measurements has datatype FP16, which is not supported$/, /^send FP32$/],
  ['datatype of the prototype', flower({ datatype: 'constructor' }), /unknown datatype constructor/],
  [
    'texts for numbers',
    flower({ datatype: 'BYTES', data: ['a', 'b', 'c', 'd'] }),
    /^measurements is BYTES$/,
    /^send FP32, FP64, INT\*, UINT\* or BOOL$/,
  ],
  ['a text among numbers', data(`[${SECRET},"1",1,1]`), /^element 1 of measurements is a string, not FP32$/],
  ['a boolean among numbers', data(`[${SECRET},true,1,1]`), /^element 1 of measurements is a boolean, not FP32$/],
  [
    'null',
    data(`[${SECRET},null,1,1]`),
    /^element 1 of measurements is null, which a tensor cannot hold$/,
    /v1\/models\/NAME\/predict/,
  ],
  ['1e400', data(`[${SECRET},1e400,1,1]`, 'FP64'), /^element 1 of measurements does not fit FP64$/],
  ['1e39 in FP32', data(`[${SECRET},1e39,1,1]`), /^element 1 of measurements does not fit FP32$/],
  ['an integer beyond its datatype', data('[1,256,1,1]', 'UINT8'), /^element 1 of measurements does not fit UINT8$/],
  ['a negative unsigned integer', data('[1,-1,1,1]', 'UINT64'), /^element 1 of measurements does not fit UINT64$/],
  ['a fraction in an integer', data(`[${SECRET},1,1,1]`, 'INT32'), /^element 0 of measurements does not fit INT32$/],
  ['an integer beyond 2^53 for a float', data('[1,9007199254740993,1,1]', 'INT64'), /does not fit INT64/, /binary/],
  ['the same tensor twice', JSON.stringify({ inputs: [FLOWER, FLOWER] }), /^measurements comes twice$/],
  [
    'both forms at once',
    JSON.stringify({ inputs: [FLOWER, FEATURES[1]] }),
    /^sepal_width and measurements hold the same feature$/,
    /^send either/,
  ],
  [
    'both forms, the other way',
    JSON.stringify({ inputs: [FEATURES[3], FLOWER] }),
    /^measurements and petal_width hold the same feature$/,
  ],
  [
    'a feature is missing',
    JSON.stringify({ inputs: FEATURES.slice(1) }),
    /^sepal_length is missing$/,
    /^send a tensor sepal_length \[1\], or measurements \[1, 4\]$/,
  ],
  [
    'other numbers of rows',
    JSON.stringify({ inputs: [...FEATURES.slice(1), { ...FEATURES[0], shape: [2], data: [1, 2] }] }),
    /^sepal_length has 2 rows, sepal_width has 1$/,
  ],
  [
    'a feature with two elements a row',
    JSON.stringify({ inputs: [{ ...FEATURES[0], shape: [1, 2], data: [1, 2] }] }),
    /^sepal_length has shape \[1, 2\]$/,
    /^send \[rows\] or \[rows, 1\]$/,
  ],
  [
    'unknown output',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'probability' }] }),
    /^the model has no output probability$/,
    /^did you mean probabilities\?$/,
  ],
  [
    'the same output twice',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'label' }, { name: 'label' }] }),
    /^label is requested twice$/,
  ],
  ['an output without a name', JSON.stringify({ inputs: [FLOWER], outputs: [{}] }), /^outputs\[0\] has no name$/],
  ['outputs are a text', JSON.stringify({ inputs: [FLOWER], outputs: 'label' }), /^outputs is not a list$/],
  [
    'classification',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'label', parameters: { classification: 2 } }] }),
    /^the parameter classification is not supported$/,
  ],
  ['shared memory', flower({ data: undefined, parameters: { shared_memory_region: 'x' } }), /^measurements has neither data/],
  [
    'binary_data is a number',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'label', parameters: { binary_data: 1 } }] }),
    /^the parameter binary_data is neither true nor false$/,
  ],
  [
    'binary_data_output is a text',
    JSON.stringify({ inputs: [FLOWER], parameters: { binary_data_output: 'yes' } }),
    /^the parameter binary_data_output is neither/,
  ],
  [
    'parameters are a list',
    JSON.stringify({ inputs: [FLOWER], parameters: [] }),
    /^parameters of the request is not an object$/,
  ],
  [
    'a negative timeout',
    JSON.stringify({ inputs: [FLOWER], parameters: { timeout: -1 } }),
    /^the parameter timeout is not a whole number/,
  ],
  [
    'a timeout in words',
    JSON.stringify({ inputs: [FLOWER], parameters: { timeout: '1s' } }),
    /^the parameter timeout is not a whole number/,
  ],
  [
    'binary_data_size without a binary part',
    flower({ data: undefined, parameters: { binary_data_size: 16 } }),
    /^binary_data_size of measurements is 16; the binary part has 0 bytes left$/,
  ],
  [
    'binary_data_size beside data',
    flower({ parameters: { binary_data_size: 0 } }),
    /^measurements has both data and binary_data_size$/,
  ],
  ['names of the prototype as keys', '{"__proto__":{"inputs":[]},"constructor":1}', /^inputs is not a list$/],
  ['__proto__ as a tensor', flower({ name: '__proto__' }), /^the model has no input __proto__$/],
  ['constructor as a tensor', flower({ name: 'constructor' }), /^the model has no input constructor$/],
  [
    '__proto__ as an output',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: '__proto__' }] }),
    /^the model has no output __proto__$/,
  ],
  ['control characters in a name', flower({ name: 'a\u001b[31m\u2028b' }), /^the model has no input a\\u001b\[31m\\u2028b$/],
  ['a long name', flower({ name: 'x'.repeat(100_000) }), /^the model has no input x{80}…$/],
];

it.each(BAD_JSON)('refuses JSON: %s', async (_, body, error, hint) => {
  refuses(await post(body), 400, error, hint);
});

const BAD_MIXED: readonly (readonly [what: string, body: string, error: RegExp])[] = [
  ['a number for a text', mixed('1', '1', 'true'), /^element 0 of plan is a number, not BYTES$/],
  ['half a character', mixed('"\\ud800"', '1', 'true'), /^element 0 of plan is not valid Unicode$/],
  ['a fraction for an integer', mixed('"pro"', '1.5', 'true'), /^element 0 of logins does not fit INT64$/],
  ['an integer beyond 2^53', mixed('"pro"', '9007199254740993', 'true'), /^element 0 of logins does not fit INT64$/],
  ['a float for an integer', mixed('"pro"', '1', 'true', 'FP64'), /^logins is FP64$/],
  ['a number for a boolean', mixed('"pro"', '1', '1'), /^element 0 of active is a number, not BOOL$/],
  ['a text for a boolean', mixed('"pro"', '1', '"true"'), /^element 0 of active is a string, not BOOL$/],
];

it.each(BAD_MIXED)('refuses what texts, integers and booleans do not take: %s', async (_, body, error) => {
  refuses(await post(body, {}, 'mixed'), 400, error);
});

const binary = (input: Partial<Input> & { bytes: Buffer }, model = 'iris') =>
  inferAt(http, model, [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], ...input }]);

it('refuses binary tensors that are not what they say', async () => {
  refuses(await binary({ bytes: BYTES.subarray(0, 15) }), 400, /^measurements has 15 bytes; its shape and datatype need 16$/);
  refuses(await binary({ bytes: BYTES, shape: [2 ** 40, 4] }), 400, /^measurements has 16 bytes; its shape and datatype need/);
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
    /^plan has 5 bytes more than its elements$/,
  );
  refuses(await binary({ ...plan, shape: [2 ** 50], bytes: textBytes(['a']) }, 'mixed'), 400, /^plan ends within an element$/);
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
  refuses(await post(body, headers), 413, /^the request has 501 rows; at most 500 are taken$/, /500 rows/);
  const json = data(`[${'1,'.repeat(399_999)}1]`, 'UINT8').replace('[1,4]', '[100000,4]');
  refuses(await post(json), 413, /^the request has 100000 rows; at most 500 are taken$/);
  const long = `"${SECRET_TEXT}${'x'.repeat(100_000)}"`;
  refuses(
    await post(mixed(long, '1', 'true'), {}, 'mixed'),
    413,
    /^element 0 of plan has 100012 characters; at most 1000 are taken$/,
  );
  const nested = '['.repeat(LIMIT - 1);
  const begin = performance.now();
  refuses(await post(nested), 413, /^the JSON has more than 131072 lists and objects$/, /flat, or in binary/);
  expect(performance.now() - begin).toBeLessThan(2000);
  // Below the limit of lists, but deep.
  refuses(await post(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 400, /^the body is not an object$/);
  refuses(await post(data(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), 400, /^data of measurements is not 1 lists of 4/);
  refuses(await post(`${'{"inputs":'.repeat(50_000)}1${'}'.repeat(50_000)}`), 400, /^inputs is not a list$/);
});

it('counts lists outside texts only', async () => {
  const brackets = `"${'[{'.repeat(70_000)}\\"[\\\\"`;
  refuses(await post(`{"id":${brackets},"inputs":[]}`), 400, /^the request has no inputs$/);
});

it('refuses unknown models and versions', async () => {
  const { body } = bodyOf([FLOWER]);
  for (const name of ['irisx', '__proto__', 'constructor', '..%2f..%2fetc%2fpasswd', '%00', 'a'.repeat(90)]) {
    const answer = await ask(`${http}/v2/models/${name}/infer`, { body });
    expect([answer.status, typeof (jsonOf(answer) as { error: unknown }).error]).toEqual([404, 'string']);
    expect((await ask(`${http}/v2/models/${name}`)).status).toBe(404);
    expect((await ask(`${http}/v2/models/${name}/ready`)).status).toBe(404);
  }
  expect((await ask(`${http}/v2/models/iris/versions/2/infer`, { body })).status).toBe(404);
  expect((await ask(`${http}/v2/models/iris/versions/2`)).status).toBe(404);
});

it('answers after all that', async () => {
  expect(read(await inferAt(http, 'iris', [FLOWER])).outputs[0]?.data).toHaveLength(1);
  expect(Object.hasOwn(Object.prototype, 'inputs')).toBe(false);
});
