import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServeFailure } from '../../../src/serve/failure.ts';
import { infer } from '../../../src/serve/oip/infer.ts';
import type { InferRequest, InferTensor } from '../../../src/serve/oip/tensor.ts';
import type { OnlineModel, ScoreRequest } from '../../../src/serve/online-model.ts';
import { loadOnlineModel } from '../../../src/serve/score/load-model.ts';
import { repository } from '../../support/project.ts';
import { IRIS, settingsOf } from '../served.ts';
import { stubService } from '../stub-service.ts';

const settings = settingsOf([]);
let iris: OnlineModel;
let mixed: OnlineModel;

beforeAll(async () => {
  iris = await loadOnlineModel(IRIS, settings);
  mixed = await loadOnlineModel(repository('test/fixtures/models/mixed'), settings);
});
afterAll(async () => {
  await iris.close();
  await mixed.close();
});

/** A process that serves one model. It keeps what was asked of the model, and what was observed. */
function serviceOf(model: OnlineModel) {
  const asked: ScoreRequest[] = [];
  const kept: OnlineModel = {
    ...model,
    score(request) {
      asked.push(request);
      return model.score(request);
    },
  };
  const { service, observed } = stubService(kept, { limits: { text: 10 } });
  const find = (name: string) => {
    if (name !== model.name) throw new ServeFailure('not found', 'no');
    return kept;
  };
  return { service: { ...service, models: { ...service.models, find } }, observed, asked };
}

const FLOWER: InferTensor = {
  name: 'measurements',
  datatype: 'FP32',
  shape: [2, 4],
  data: Float32Array.of(5.1, 3.5, 1.4, 0.2, 5.1, 3.5, 1.4, 41),
};
const request = (inputs: readonly InferTensor[], rest: Partial<InferRequest> = {}): InferRequest => ({
  id: undefined,
  parameters: {},
  inputs,
  outputs: undefined,
  ...rest,
});

it('answers in tensors, and observes rows and rejections', async () => {
  const { service, observed } = serviceOf(iris);
  const read = () => request([FLOWER], { id: 'a' });
  const { model, id, outputs } = await infer(service, { protocol: 'grpc', name: 'iris', version: undefined, read });
  expect([model.name, id]).toEqual(['iris', 'a']);
  const [label, probabilities, rejected] = outputs;
  expect(label).toEqual({ name: 'label', datatype: 'BYTES', shape: [2], data: ['setosa', ''] });
  expect(probabilities).toMatchObject({ datatype: 'FP32', shape: [2, 3] });
  expect(Array.from(probabilities?.data as Float32Array, Number.isNaN)).toEqual([false, false, false, true, true, true]);
  expect(rejected?.data).toEqual(['', 'feature out of range: petal_width']);
  expect(observed).toEqual([
    expect.objectContaining({ protocol: 'grpc', outcome: 'ok', rows: 2, rejected: expect.any(Int32Array) }),
  ]);
  expect(observed[0]?.seconds).toBeGreaterThan(0);
});

it('observes what it refuses', async () => {
  const { service, observed, asked } = serviceOf(iris);
  const call = (name: string, read: () => InferRequest) =>
    infer(service, { protocol: 'rest', name, version: undefined, read }).catch((error: unknown) => error);
  await call('tulip', () => request([FLOWER]));
  await call('iris', () => {
    throw new ServeFailure('invalid', 'unreadable');
  });
  await call('iris', () => {
    throw new TypeError('a bug');
  });
  await call('iris', () => request([{ ...FLOWER, shape: [2, 3] }]));
  expect(asked).toEqual([]);
  await call('iris', () => request([FLOWER], { outputs: [{ name: 'label', parameters: {} }] }));
  expect(observed.map(({ model, outcome, rows, rejected }) => [model?.name, outcome, rows, rejected?.length])).toEqual([
    [undefined, 'not found', 0, undefined],
    ['iris', 'invalid', 0, undefined],
    ['iris', 'internal', 0, undefined],
    ['iris', 'invalid', 0, undefined],
    ['iris', 'invalid', 2, 2],
  ]);
});

it('lists twenty rejected rows, then counts', async () => {
  const { service } = serviceOf(iris);
  const data = new Float32Array(30 * 4).fill(Number.NaN);
  const outputs = [{ name: 'label', parameters: {} }];
  const read = () => request([{ ...FLOWER, shape: [30, 4], data }], { outputs });
  const refused = await infer(service, { protocol: 'rest', name: 'iris', version: undefined, read }).catch((error) => error);
  expect(refused).toMatchObject({
    kind: 'invalid',
    message: '30 of 30 rows cannot be scored: row 0: feature is not a finite number: sepal_length',
  });
  expect(refused.details).toHaveLength(21);
  expect(refused.details.slice(-2)).toEqual(['row 19: feature is not a finite number: sepal_length', 'and 10 more']);
});

it('ends at the earlier of the deadline and the timeout, and passes the signal on', async () => {
  const { service, asked } = serviceOf(iris);
  const { signal } = new AbortController();
  const call = async (parameters: InferRequest['parameters'], deadline?: number) => {
    const read = () => request([FLOWER], { parameters });
    await infer(service, { protocol: 'grpc', name: 'iris', version: undefined, read, deadline, signal });
    return (asked.at(-1)?.deadline ?? Number.NaN) - performance.now();
  };
  expect(await call({})).toBeNaN();
  expect(await call({ timeout: 0 })).toBeNaN();
  expect(Math.round((await call({ timeout: 60_000_000 })) / 10_000)).toBe(6);
  expect(Math.round((await call({ timeout: 60_000_000n })) / 10_000)).toBe(6);
  expect(Math.round((await call({ timeout: 60_000_000 }, performance.now() + 30_000)) / 10_000)).toBe(3);
  expect(Math.round((await call({}, performance.now() + 30_000)) / 10_000)).toBe(3);
  expect(asked.every((one) => one.signal === signal)).toBe(true);
});

/** What a model got for one row of texts, integers and booleans. */
async function columnsOf(changes: Partial<Record<'plan' | 'logins' | 'active', Partial<InferTensor>>>) {
  const { service, asked } = serviceOf(mixed);
  const inputs: InferTensor[] = [
    { name: 'plan', datatype: 'BYTES', shape: [1], data: ['pro'], ...changes.plan },
    { name: 'logins', datatype: 'INT64', shape: [1], data: BigInt64Array.of(3n), ...changes.logins },
    { name: 'active', datatype: 'BOOL', shape: [1], data: Uint8Array.of(1), ...changes.active },
  ];
  const read = () => request(inputs);
  await infer(service, { protocol: 'grpc', name: 'mixed', version: undefined, read });
  return asked[0]?.batch.columns.map(({ kind, values }) => [kind, values[0]]);
}

it('widens integers and booleans, and refuses what does not fit', async () => {
  const expected = [
    ['string', 'pro'],
    ['int64', 3n],
    ['bool', 1],
  ];
  expect(await columnsOf({})).toEqual(expected);
  expect(await columnsOf({ logins: { datatype: 'UINT64', data: BigUint64Array.of(3n) } })).toEqual(expected);
  expect(await columnsOf({ logins: { datatype: 'INT32', data: Int32Array.of(3) } })).toEqual(expected);
  expect(await columnsOf({ logins: { datatype: 'UINT8', data: Uint8Array.of(3) } })).toEqual(expected);
  expect((await columnsOf({ logins: { datatype: 'BOOL', data: Uint8Array.of(1) } }))?.[1]).toEqual(['int64', 1n]);
  expect((await columnsOf({ logins: { data: BigInt64Array.of(-(2n ** 63n)) } }))?.[1]).toEqual(['int64', -(2n ** 63n)]);
  await expect(columnsOf({ logins: { datatype: 'UINT64', data: BigUint64Array.of(2n ** 63n) } })).rejects.toThrow(
    'element 0 of logins is beyond 2^63',
  );
  await expect(columnsOf({ logins: { datatype: 'FP32', data: Float32Array.of(3) } })).rejects.toMatchObject({
    message: 'logins has datatype FP32',
    hint: 'send INT*, UINT* or BOOL',
  });
  await expect(columnsOf({ active: { datatype: 'UINT8', data: Uint8Array.of(1) } })).rejects.toMatchObject({
    message: 'active has datatype UINT8',
    hint: 'send BOOL',
  });
  await expect(columnsOf({ plan: { data: ['x'.repeat(11)] } })).rejects.toMatchObject({
    kind: 'invalid',
    message: 'element 0 of plan has more than 10 characters',
  });
  // Characters of two UTF-16 units each.
  expect((await columnsOf({ plan: { data: ['😀'.repeat(10)] } }))?.[0]).toEqual(['string', '😀'.repeat(10)]);
  await expect(columnsOf({ plan: { data: [] } })).rejects.toThrow('plan has 0 elements; its shape is [1]');
});

it('keeps the width of floats, and takes integers that a float holds', async () => {
  const { service, asked } = serviceOf(iris);
  const feature = (name: string, datatype: InferTensor['datatype'], data: InferTensor['data']): InferTensor => ({
    name,
    datatype,
    shape: [1],
    data,
  });
  const inputs = [
    feature('sepal_length', 'FP32', Float32Array.of(0.1)),
    feature('sepal_width', 'FP64', Float64Array.of(0.1)),
    feature('petal_length', 'INT64', BigInt64Array.of(2n ** 53n)),
    feature('petal_width', 'BOOL', Uint8Array.of(1)),
  ];
  await infer(service, { protocol: 'grpc', name: 'iris', version: undefined, read: () => request(inputs) });
  expect(asked[0]?.batch.columns.map(({ kind, values }) => [kind, values[0]])).toEqual([
    ['float32', Math.fround(0.1)],
    ['float64', 0.1],
    ['float64', 2 ** 53],
    ['float64', 1],
  ]);
});
