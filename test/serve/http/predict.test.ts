import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { ServeFailure } from '../../../src/serve/failure.ts';
import { buildHttp } from '../../../src/serve/http/server.ts';
import type { OnlineModel, ScoreRequest } from '../../../src/serve/online-model.ts';
import type { Observation, Service } from '../../../src/serve/service.ts';
import { repository } from '../../support/project.ts';
import { CHURN, IRIS, served, settingsOf } from '../served.ts';
import { get, post } from './request.ts';

const STRINGS = repository('test', 'fixtures', 'models', 'strings');
const MIXED = repository('test', 'fixtures', 'models', 'mixed');
const SETOSA = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

async function golden(folder: string): Promise<Record<string, number>[]> {
  const rows = parse(await readFile(`${folder}/golden.csv`), { columns: true }) as Record<string, string>[];
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, cell]) => [key, Number(cell)])));
}

it('answers the golden rows of iris with label and probabilities, unrounded', async () => {
  const serving = await served([IRIS]);
  const rows = await golden(IRIS);
  const given = rows.map((row) => Object.fromEntries(Object.keys(SETOSA).map((name) => [name, row[name]])));
  const { status, headers, json } = await post(serving, '/v1/models/iris/predict', { rows: given });
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  const [model] = serving.service.models.list();
  expect(json.model).toEqual({ name: 'iris', version: model?.version, digest: model?.digest });
  expect(json.predictions).toHaveLength(rows.length);
  for (const [i, { label, probabilities }] of json.predictions.entries()) {
    const entries = Object.entries(probabilities as Record<string, number>);
    expect(entries.map(([name]) => name)).toEqual(['setosa', 'versicolor', 'virginica']);
    for (const [name, value] of entries) {
      expect(Math.abs(value - (rows[i]?.[`expected_${name}`] as number))).toBeLessThan(1e-6);
      // Every number is exactly a float32 of the model.
      expect(Math.fround(value)).toBe(value);
    }
    expect(label).toBe(entries.sort(([, a], [, b]) => b - a)[0]?.[0]);
  }
  const named = await post(serving, `/v1/models/iris/versions/${model?.version}/predict`, { rows: given });
  expect(named.json).toEqual(json);
});

it('answers the golden rows of churn, where a missing key and null are the same', async () => {
  const serving = await served([CHURN]);
  const rows = await golden(CHURN);
  const given = rows.map(({ expected_score, ...row }) => row);
  const { json } = await post(serving, '/v1/models/churn-mlp/predict', { rows: given });
  for (const [i, { score }] of json.predictions.entries()) {
    expect(Math.abs(score - (rows[i]?.expected_score as number))).toBeLessThan(1e-6);
  }
  const { price_per_cd, ...without } = given[0] as Record<string, number>;
  const { orders, ...needed } = without;
  const { json: lacking } = await post(serving, '/v1/models/churn-mlp/predict', {
    rows: [without, { ...without, price_per_cd: null }, { ...without, price_per_cd: 0 }, needed, { ...needed, orders: null }],
  });
  const [missing, ofNull, ofDefault, ...refused] = lacking.predictions;
  expect(missing).toEqual({ score: expect.any(Number) });
  expect(ofNull).toEqual(missing);
  expect(ofDefault).toEqual(missing);
  const rejected = { rejected: { reason: 'null in a required feature', feature: 'orders' } };
  expect(refused).toEqual([rejected, rejected]);
});

it('rejects rows one by one in the words of the quarantine', async () => {
  const serving = await served([IRIS, STRINGS, MIXED]);
  const { json } = await post(serving, '/v1/models/iris/predict', {
    rows: [SETOSA, { ...SETOSA, petal_width: 99 }, SETOSA],
  });
  const [scored] = (await post(serving, '/v1/models/iris/predict', { rows: [SETOSA] })).json.predictions;
  expect(json.predictions).toEqual([scored, { rejected: { reason: 'feature out of range', feature: 'petal_width' } }, scored]);
  // JSON has numbers that no double holds.
  const huge = await post(serving, '/v1/models/iris/predict', JSON.stringify({ rows: [SETOSA] }).replace('1.4', '1e999'));
  expect(huge.json.predictions).toEqual([{ rejected: { reason: 'feature is not a finite number', feature: 'petal_length' } }]);
  const texts = await post(serving, '/v1/models/strings/predict', {
    rows: [{ plan: 'pro', logins: 3 }, { plan: 'gold', logins: 3 }, { plan: 'free', logins: -1 }, { logins: 1 }],
  });
  expect(texts.json.predictions).toEqual([
    { score: expect.closeTo(0.201813222, 6) },
    { rejected: { reason: 'unknown category', feature: 'plan' } },
    { rejected: { reason: 'feature out of range', feature: 'logins' } },
    { rejected: { reason: 'null in a required feature', feature: 'plan' } },
  ]);
  const mixed = await post(serving, '/v1/models/mixed/predict', {
    rows: [
      { plan: 'pro', logins: 40, active: true },
      { plan: 'anything', logins: 3, active: false },
    ],
  });
  expect(mixed.json.predictions).toEqual([{ score: expect.closeTo(0.000911051, 6) }, { score: expect.closeTo(0.4073334, 6) }]);
});

const ROW = { plan: 'pro', logins: 1, active: true };

const WRONG_ROWS: [row: unknown, error: string, hint?: string][] = [
  [{ ...ROW, plan: 1 }, 'rows[1].plan must be a string'],
  [{ ...ROW, plan: 'x'.repeat(101) }, 'rows[1].plan must be a string of at most 100 characters'],
  [{ ...ROW, plan: '\ud83d' }, 'rows[1].plan must be a string without unpaired surrogates'],
  [{ ...ROW, logins: '1' }, 'rows[1].logins must be a whole number'],
  [{ ...ROW, logins: 1.5 }, 'rows[1].logins must be a whole number'],
  [{ ...ROW, logins: 2 ** 53 }, 'rows[1].logins must be a whole number from -9007199254740991 to 9007199254740991'],
  [{ ...ROW, active: 1 }, 'rows[1].active must be true or false'],
  [{ ...ROW, active: [true] }, 'rows[1].active must be true or false'],
  [{ ...ROW, activ: true }, 'rows[1] has the unknown field "activ"', 'did you mean active?'],
  [{ ...ROW, constructor: 1 }, 'rows[1] has the unknown field "constructor"', 'choose from plan, logins, active'],
  [JSON.parse('{"__proto__": 1}'), 'rows[1] has the unknown field "__proto__"', 'choose from plan, logins, active'],
  [['pro', 1, true], 'rows[1] must be an object', 'send a value for each feature'],
  [null, 'rows[1] must be an object', 'send a value for each feature'],
];

it('refuses values of another type and unknown fields, and says where', async () => {
  const serving = await served([MIXED], { limits: { text: 100 } });
  for (const [row, error, hint] of WRONG_ROWS) {
    const { status, json } = await post(serving, '/v1/models/mixed/predict', { rows: [ROW, row] });
    expect({ status, json }).toEqual({ status: 400, json: { error, ...(hint && { hint }) } });
  }
  // Characters of two UTF-16 units each.
  const { status } = await post(serving, '/v1/models/mixed/predict', { rows: [{ ...ROW, plan: '😀'.repeat(100) }] });
  expect(status).toBe(200);
});

it('lists the first 20 problems of a request and counts the rest', async () => {
  const serving = await served([IRIS]);
  const rows = Array.from({ length: 23 }, () => ({ ...SETOSA, sepal_length: 'a secret' }));
  const { status, json } = await post(serving, '/v1/models/iris/predict', { rows });
  expect(status).toBe(400);
  expect(json.error).toBe('rows[0].sepal_length must be a number');
  expect(json.details).toHaveLength(21);
  expect(json.details[19]).toBe('rows[19].sepal_length must be a number');
  expect(json.details[20]).toBe('and 3 more problems');
  expect(JSON.stringify(json)).not.toContain('secret');
});

const WRONG_BODIES: [body: string | Uint8Array, error: string][] = [
  ['', 'the request has no body'],
  ['{', 'the body is not JSON'],
  [Uint8Array.of(0x7b, 0xff, 0x7d), 'the JSON is not UTF-8'],
  ['[]', 'the body must be an object'],
  ['null', 'the body must be an object'],
  ['{}', 'the request has no rows'],
  ['{"rows": {}}', 'rows must be a list'],
  ['{"rows": []}', 'rows is empty'],
  ['{"row": [{}]}', 'the request has the unknown field "row"'],
];

it('refuses bodies that are not a list of rows', async () => {
  const serving = await served([IRIS]);
  for (const [body, error] of WRONG_BODIES) {
    const { status, json } = await post(serving, '/v1/models/iris/predict', body);
    expect({ status, error: json.error }).toEqual({ status: 400, error });
    expect(json.hint).toContain('rows');
  }
});

it('refuses more rows than the model takes, and names the limit', async () => {
  const serving = await served([IRIS], { limits: { rows: 3 } });
  const { status, json } = await post(serving, '/v1/models/iris/predict', { rows: Array(4).fill(SETOSA) });
  expect(status).toBe(413);
  expect(json.error).toBe('the request has 4 rows, but iris accepts at most 3');
  expect((await post(serving, '/v1/models/iris/predict', { rows: Array(3).fill(SETOSA) })).status).toBe(200);
});

it.each(['gzip', 'deflate'] as const)('inflates %s, up to the limit', async (encoding) => {
  const serving = await served([IRIS], { limits: { body: 2000 } });
  const compress = { gzip: gzipSync, deflate: deflateSync }[encoding];
  const send = async (rows: object[]) =>
    await post(serving, '/v1/models/iris/predict', compress(JSON.stringify({ rows })), { 'content-encoding': encoding });
  expect(await send([SETOSA])).toMatchObject({ status: 200, json: { predictions: [{ label: 'setosa' }] } });
  expect((await send(Array(40).fill(SETOSA))).status).toBe(413);
});

it('speaks the V1 protocol of KServe', async () => {
  const serving = await served([IRIS, CHURN]);
  expect((await get(serving, '/v1/models')).json).toEqual({ models: ['iris', 'churn-mlp'] });
  expect((await get(serving, '/v1/models/iris')).json).toEqual({ name: 'iris', ready: true });
  expect((await get(serving, '/v1/models/nothing')).status).toBe(404);
  const labels = await post(serving, '/v1/models/iris:predict', { instances: [SETOSA, [6.3, 3.3, 6, 2.5]] });
  expect(labels.json).toEqual({ predictions: ['setosa', 'virginica'] });
  const [{ expected_score, ...row }] = (await golden(CHURN)) as [Record<string, number>];
  const scores = await post(serving, '/v1/models/churn-mlp:predict', { instances: [row, Object.values(row)] });
  const ours = await post(serving, '/v1/models/churn-mlp/predict', { rows: [row] });
  expect(scores.json.predictions).toEqual([ours.json.predictions[0].score, ours.json.predictions[0].score]);
});

it('refuses V1 requests with a rejected row, since a prediction cannot say why', async () => {
  const serving = await served([IRIS]);
  const bad = { ...SETOSA, petal_width: 99 };
  const { status, json } = await post(serving, '/v1/models/iris:predict', { instances: [SETOSA, ...Array(22).fill(bad)] });
  expect(status).toBe(400);
  expect(json.error).toBe('22 of 23 rows cannot be scored');
  expect(json.details[0]).toBe('instances[1]: feature out of range: petal_width');
  expect(json.details.at(-1)).toBe('and 2 more rows');
  expect(await post(serving, '/v1/models/iris:predict', { instances: [[1, 2, 3]] })).toMatchObject({
    status: 400,
    json: { error: 'instances[0] has 3 values', hint: 'iris has 4 features' },
  });
  expect(await post(serving, '/v1/models/iris:predict', { instances: [[1, 2, 'x', 3]] })).toMatchObject({
    status: 400,
    json: { error: 'instances[0][2] (petal_length) must be a number' },
  });
  const verb = await post(serving, '/v1/models/iris:explain', { instances: [SETOSA] });
  expect([verb.status, verb.headers.get('allow')]).toEqual([405, 'GET']);
});

/** A server around the iris model with another `score`, and what it observed. */
async function around(score: OnlineModel['score']): Promise<{ address: string; seen: Observation[]; close(): Promise<void> }> {
  const { service } = await served([IRIS]);
  const seen: Observation[] = [];
  const model = { ...service.models.find('iris'), score };
  const models = { list: () => [model], find: () => model };
  const other: Service = { ...service, models, settings: settingsOf([IRIS]), observe: (one) => seen.push(one) };
  const app = await buildHttp(other);
  return { address: await app.listen({ host: '127.0.0.1', port: 0 }), seen, close: () => app.close() };
}

it('says with Retry-After when a busy model may answer', async () => {
  const { address, seen, close } = await around(async () => {
    throw new ServeFailure('busy', 'the queue is full', { retryAfter: 2 });
  });
  const response = await fetch(`${address}/v1/models/iris/predict`, {
    method: 'POST',
    body: JSON.stringify({ rows: [SETOSA] }),
  });
  await close();
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('2');
  expect(seen).toMatchObject([{ protocol: 'predict', outcome: 'busy', rows: 1, rejected: undefined }]);
});

it('aborts what nobody waits for any more', async () => {
  let hear: (request: ScoreRequest) => void;
  const asked = new Promise<ScoreRequest>((resolve) => {
    hear = resolve;
  });
  const { address, seen, close } = await around((request) => {
    hear(request);
    return new Promise((_, reject) => {
      request.signal?.addEventListener('abort', () => reject(new ServeFailure('gone', 'the client is gone')));
    });
  });
  const { port, hostname } = new URL(address);
  const socket = connect(Number(port), hostname);
  const body = JSON.stringify({ rows: [SETOSA] });
  socket.write(`POST /v1/models/iris/predict HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  const { signal } = await asked;
  expect(signal?.aborted).toBe(false);
  const aborted = once(signal as AbortSignal, 'abort');
  socket.destroy();
  await aborted;
  await close();
  expect(seen).toMatchObject([{ outcome: 'gone' }]);
});
