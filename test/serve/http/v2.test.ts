import { readFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Serving, startServing } from '../../../src/serve/process/serving.ts';
import { VERSION } from '../../../src/versions.ts';
import { repository } from '../../support/project.ts';
import { CHURN, IRIS, settingsOf } from '../served.ts';
import { ask, jsonOf } from './ask.ts';
import { bodyOf, bytesOf, bytesOfArray, dataOf, type Input, inferAt, read, textBytes } from './v2-client.ts';

const TIPS = repository('test/fixtures/tips');

let serving: Serving;
let http: string;

beforeAll(async () => {
  serving = await startServing(settingsOf([IRIS, CHURN, TIPS]));
  http = serving.addresses.http;
});
afterAll(() => serving.close());

const FLOWER: Input = { name: 'measurements', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] };

/** Rows of a bundle's golden.csv, column by column. */
function golden(folder: string): Record<string, string[]> {
  const rows = parse(readFileSync(`${folder}/golden.csv`, 'utf8'), { columns: true }) as Record<string, string>[];
  return Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => row[name] ?? '')]));
}

it('says what it is', async () => {
  expect(jsonOf(await ask(`${http}/v2`))).toEqual({
    name: 'score-batch',
    version: VERSION,
    extensions: ['binary_tensor_data'],
  });
  expect(jsonOf(await ask(`${http}/v2/health/live`))).toEqual({ live: true });
  expect(jsonOf(await ask(`${http}/v2/health/ready`))).toEqual({ ready: true });
});

it('describes a model with a tensor per feature, and names the tensors of the ONNX file', async () => {
  const iris = jsonOf(await ask(`${http}/v2/models/iris`)) as { versions: string[]; properties: Record<string, string> };
  expect(iris).toMatchObject({
    name: 'iris',
    platform: 'onnx_onnxv1',
    inputs: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name) => ({
      name,
      datatype: 'FP32',
      shape: [-1],
    })),
    outputs: [
      { name: 'label', datatype: 'BYTES', shape: [-1] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
      { name: 'rejected', datatype: 'BYTES', shape: [-1] },
    ],
  });
  expect(JSON.parse(iris.properties.onnx_inputs ?? '')).toEqual([
    {
      name: 'measurements',
      datatype: 'FP32',
      shape: [-1, 4],
      features: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'],
    },
  ]);
  const [version = ''] = iris.versions;
  expect(jsonOf(await ask(`${http}/v2/models/iris/versions/${version}`))).toEqual(iris);
  expect(jsonOf(await ask(`${http}/v2/models/iris/versions/${version}/ready`))).toEqual({ name: 'iris', ready: true });
  const churn = jsonOf(await ask(`${http}/v2/models/churn-mlp`)) as typeof iris;
  expect(churn.properties.optional_inputs).toBe('["price_per_cd"]');
  expect(churn).toMatchObject({ outputs: [{ name: 'score', datatype: 'FP32', shape: [-1] }, { name: 'rejected' }] });
  const tips = jsonOf(await ask(`${http}/v2/models/tips`)) as { inputs: { datatype: string }[] };
  expect(tips.inputs.map(({ datatype }) => datatype)).toEqual(['FP64', 'INT64', 'FP32', 'BOOL', 'BYTES', 'BYTES']);
});

it('scores the golden rows of a bundle with classes', async () => {
  const { sepal_length, sepal_width, petal_length, petal_width, ...expected } = golden(IRIS);
  const features = { sepal_length, sepal_width, petal_length, petal_width };
  const inputs = Object.entries(features).map(([name, texts = []]) => ({
    name,
    datatype: 'FP32',
    shape: [texts.length],
    data: texts.map(Number),
  }));
  const answer = read(await inferAt(http, 'iris', inputs, { id: 'golden' }));
  expect(answer).toMatchObject({ model_name: 'iris', model_version: '2026-11-27', id: 'golden' });
  const rows = sepal_length?.length ?? 0;
  expect(dataOf(answer, 'rejected')).toEqual(new Array(rows).fill(''));
  const probabilities = dataOf(answer, 'probabilities') as number[];
  const classes = ['setosa', 'versicolor', 'virginica'];
  for (let row = 0; row < rows; row += 1) {
    const given = probabilities.slice(row * 3, row * 3 + 3);
    const wanted = classes.map((name) => Number(expected[`expected_${name}`]?.[row]));
    for (const [i, value] of given.entries()) expect(Math.abs(value - (wanted[i] ?? Number.NaN))).toBeLessThanOrEqual(1e-6);
    expect(dataOf(answer, 'label')[row]).toBe(classes[wanted.indexOf(Math.max(...wanted))]);
  }
});

it('scores the golden rows of a pipeline with texts, booleans and integers, one input each', async () => {
  const { expected_score = [], ...columns } = golden(TIPS);
  const n = expected_score.length;
  const forms: Record<string, [datatype: string, read: (text: string) => unknown]> = {
    total_bill: ['FP64', Number],
    size: ['INT64', Number],
    bill_per_head: ['FP64', Number],
    smoker: ['BOOL', (text) => text === 'true'],
    day: ['BYTES', String],
    time: ['BYTES', String],
  };
  const inputs = Object.entries(forms).map(([name, [datatype, readText]], i) => ({
    name,
    datatype,
    // As a feature, and as the input of the ONNX file.
    shape: i % 2 === 0 ? [n] : [n, 1],
    data: columns[name]?.map(readText),
  }));
  const scores = dataOf(read(await inferAt(http, 'tips', inputs)), 'score') as number[];
  const far = scores.filter((score, row) => !(Math.abs(score - Number(expected_score[row])) <= 1e-6));
  expect(far).toEqual([]);
  expect(scores.length).toBe(n);
});

it('takes a missing tensor of a nullable feature as null, and scores the golden rows of churn', async () => {
  const { expected_score = [], ...columns } = golden(CHURN);
  const inputs = Object.entries(columns).map(([name, texts]) => ({
    name,
    datatype: 'FP64',
    shape: [texts.length],
    data: texts.map(Number),
  }));
  const scores = dataOf(read(await inferAt(http, 'churn-mlp', inputs)), 'score') as (number | null)[];
  const far = scores.filter(
    (score, row) =>
      columns.price_per_cd?.[row] !== '' && !(Math.abs((score ?? Number.NaN) - Number(expected_score[row])) <= 1e-6),
  );
  expect(far).toEqual([]);
  // The default of price_per_cd is 0.
  const zero = inputs.map((input) => (input.name === 'price_per_cd' ? { ...input, data: input.data.map(() => 0) } : input));
  const without = inputs.filter(({ name }) => name !== 'price_per_cd');
  expect(read(await inferAt(http, 'churn-mlp', without)).outputs).toEqual(read(await inferAt(http, 'churn-mlp', zero)).outputs);
});

it('answers the outputs that are requested, in that order, and in binary only where asked', async () => {
  const outputs = [{ name: 'rejected' }, { name: 'probabilities', parameters: { binary_data: true } }];
  const some = read(await inferAt(http, 'iris', [FLOWER], { outputs }));
  expect(some.outputs.map(({ name, data, bytes }) => [name, data, bytes?.length])).toEqual([
    ['rejected', [''], undefined],
    ['probabilities', undefined, 12],
  ]);
  const parameters = { binary_data_output: true };
  const all = read(await inferAt(http, 'iris', [FLOWER], { parameters }));
  expect(all.outputs.map(({ data }) => data)).toEqual([undefined, undefined, undefined]);
  expect(bytesOf(all, 'label')).toEqual(textBytes(['setosa']));
  const but = [{ name: 'label', parameters: { binary_data: false } }, { name: 'probabilities' }];
  const mixed = read(await inferAt(http, 'iris', [FLOWER], { parameters, outputs: but }));
  expect(mixed.outputs.map(({ data, bytes }) => [data, bytes?.length])).toEqual([
    [['setosa'], undefined],
    [undefined, 12],
  ]);
});

it('says of each row why it was rejected', async () => {
  const inputs = [{ ...FLOWER, shape: [2, 4], data: [5.1, 3.5, 1.4, 0.2, 5.1, 3.5, 1.4, 41] }];
  const json = read(await inferAt(http, 'iris', inputs));
  expect(json.outputs.map(({ data }) => data)).toEqual([
    ['setosa', ''],
    [expect.any(Number), expect.any(Number), expect.any(Number), null, null, null],
    ['', 'feature out of range: petal_width'],
  ]);
  const binary = bytesOf(
    read(await inferAt(http, 'iris', inputs, { parameters: { binary_data_output: true } })),
    'probabilities',
  );
  expect([...new Float32Array(Uint8Array.from(binary).buffer)].map(Number.isNaN)).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
  // Without the output, nobody would know.
  const refused = await inferAt(http, 'iris', inputs, { outputs: [{ name: 'label' }] });
  expect(refused.status).toBe(400);
  expect(jsonOf(refused)).toEqual({
    error: '1 of 2 rows cannot be scored: row 1: feature out of range: petal_width',
    hint: 'also request the output rejected to get the other rows',
    details: ['row 1: feature out of range: petal_width'],
  });
});

it.each([
  undefined,
  'application/json',
  'application/octet-stream',
  'text/plain; charset=utf-8',
  'application/x-whatever',
  'json',
  ';;;',
])('takes content type %s', async (type) => {
  const { body } = bodyOf([FLOWER]);
  const answer = await ask(`${http}/v2/models/iris/infer`, { body, headers: type ? { 'content-type': type } : {} });
  expect(read(answer).outputs[0]?.data).toEqual(['setosa']);
});

it.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
])('inflates %s, binary parts included', async (encoding, compress) => {
  const bytes = bytesOfArray(Float32Array.of(5.1, 3.5, 1.4, 0.2));
  const { body, headers } = bodyOf([{ name: 'measurements', datatype: 'FP32', shape: [1, 4], bytes }]);
  const answer = await ask(`${http}/v2/models/iris/infer`, {
    body: compress(body),
    headers: { ...headers, 'content-encoding': encoding },
  });
  expect(read(answer)).toEqual(read(await inferAt(http, 'iris', [FLOWER])));
});

it('takes null for what is not there', async () => {
  const input = { ...FLOWER, parameters: null };
  const answer = await inferAt(http, 'iris', [input], {
    id: null,
    parameters: null,
    outputs: [{ name: 'label', parameters: null }],
  });
  expect(read(answer)).toEqual({
    model_name: 'iris',
    model_version: '2026-11-27',
    outputs: [{ name: 'label', shape: [1], datatype: 'BYTES', data: ['setosa'] }],
  });
  const bytes = bytesOfArray(Float32Array.of(5.1, 3.5, 1.4, 0.2));
  expect((await inferAt(http, 'iris', [{ ...FLOWER, data: null, bytes }], { outputs: null })).status).toBe(200);
});

it('takes a chunked body', async () => {
  const { body } = bodyOf([FLOWER]);
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < body.length; at += 7) controller.enqueue(body.subarray(at, at + 7));
      controller.close();
    },
  });
  const response = await fetch(`${http}/v2/models/iris/infer`, { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
  expect(await response.json()).toMatchObject({ outputs: [{ data: ['setosa'] }, {}, {}] });
});
