import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, startServing } from '../../../src/serve/process/serving.ts';
import { repository } from '../../support/project.ts';
import { IRIS, settingsOf } from '../served.ts';
import { ask, jsonOf } from './ask.ts';
import { bodyOf, textBytes } from './v2-client.ts';

// Requests as large as the server takes, or larger, that are made to keep it from others.

const MIXED = repository('test', 'fixtures', 'models', 'mixed');
const SIZE = 8 * 2 ** 20;

/** No refusal takes this long on a machine that is not very busy; scoring or comparing everything would. */
const MOST_MS = 5000;

const SETOSA = '"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2';

function serving(body: number): () => Serving {
  let started: Serving;
  beforeAll(async () => {
    started = await startServing(settingsOf([IRIS, MIXED], { limits: { body, rows: 20_000 } }));
  });
  afterAll(() => started.close());
  return () => started;
}

const repeated = (count: number, text: string | ((i: number) => string)): string =>
  typeof text === 'string' ? `${text},`.repeat(count - 1) + text : Array.from({ length: count }, (_, i) => text(i)).join();

/** Bodies by what they are, how they are refused, and the words. @param key of the rows */
const HOSTILE = (key: string): readonly (readonly [what: string, body: string | Buffer, status: number, error: RegExp])[] => [
  ['deep nesting', `{"${key}":${'['.repeat(SIZE - 100)}`, 413, /lists and objects$/],
  [
    'nesting below the limit of lists',
    `{"${key}":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    400,
    /(must be an object|has 1 values)$/,
  ],
  ['millions of lists', `{"${key}":[${repeated(2_700_000, '[]')}]}`, 413, /lists and objects$/],
  ['millions of objects', `{"${key}":[${repeated(2_700_000, '{}')}]}`, 413, /lists and objects$/],
  ['millions of numbers', `{"${key}":[${repeated(4_000_000, '1')}]}`, 413, /^the request has 4000000 rows/],
  ['millions of texts', `{"${key}":[${repeated(2_700_000, '""')}]}`, 413, /^the request has 2700000 rows/],
  ['many unknown keys in a row', `{"${key}":[{${repeated(500_000, (i) => `"sepal${i}":1`)}}]}`, 413, /keys$/],
  ['many unknown keys', `{"${key}":[{${repeated(130_000, (i) => `"sepal${i}":1`)}}]}`, 400, /unknown field "sepal0"$/],
  [
    'unknown keys of many rows',
    `{"${key}":[${repeated(10_000, (i) => `{${repeated(12, (j) => `"sepal_lenght${i}_${j}":1`)}}`)}]}`,
    400,
    /unknown field "sepal_lenght0_0"$/,
  ],
  ['a long unknown key', `{"${key}":[{"${'sepal'.repeat(1_600_000)}":1}]}`, 400, /unknown field "sepal/],
  ['a long unknown key of the request', `{"${'rows'.repeat(2_000_000)}":[]}`, 400, /unknown field "rows/],
  ['many keys of the request', `{${repeated(130_000, (i) => `"rows${i}":1`)}}`, 400, /unknown field "rows0"$/],
  ['100,000 rows', `{"${key}":[${repeated(100_000, `{${SETOSA}}`)}]}`, 413, /keys$|^the request has 100000 rows/],
  ['100,000 empty rows', `{"${key}":[${repeated(100_000, '{}')}]}`, 413, /^the request has 100000 rows/],
  ['NaN', `{"${key}":[{${SETOSA.replace('1.4', 'NaN')}}]}`, 400, /^the body is not JSON$/],
  ['Infinity', `{"${key}":[{${SETOSA.replace('1.4', '-Infinity')}}]}`, 400, /^the body is not JSON$/],
  ['a body beyond the limit', `{"${key}":[{"plan":"${'x'.repeat(10_000_000)}"}]}`, 413, /^the body is larger/],
];

const ROUTES = [
  ['predict', '/v1/models/iris/predict', 'rows'],
  ['V1', '/v1/models/iris:predict', 'instances'],
] as const;

describe('at the default limit', () => {
  const server = serving(SIZE);

  async function refused(path: string, body: string | Buffer, headers: Record<string, string> = {}) {
    const begun = performance.now();
    const answer = await ask(server().addresses.http + path, { body, headers });
    expect(performance.now() - begun).toBeLessThan(MOST_MS);
    const { error, hint = '' } = jsonOf(answer) as { error: string; hint?: string };
    expect(answer.body.length).toBeLessThan(6000);
    expect((await ask(`${server().addresses.http}/v2/health/live`)).status).toBe(200);
    return { status: answer.status, error, hint };
  }

  it.each(ROUTES)('%s refuses what only costs, and answers the next', async (_, path, key) => {
    for (const [what, body, status, error] of HOSTILE(key)) {
      expect(await refused(path, body), what).toMatchObject({ status, error: expect.stringMatching(error) });
    }
    const nan = await refused(path, `{"${key}":[{${SETOSA.replace('1.4', 'NaN')}}]}`);
    expect(nan.hint).toBe('JSON has no NaN; leave out what is not known, or send null');
    expect((await ask(server().addresses.http + path, { body: `{"${key}":[{${SETOSA}}]}` })).status).toBe(200);
  });

  it('the Open Inference Protocol refuses more elements than rows have before it reads them', async () => {
    const infer = '/v2/models/mixed/infer';
    const send = async (input: Parameters<typeof bodyOf>[0][number]) => {
      const { body, headers } = bodyOf([input]);
      return await refused(infer, body, headers);
    };
    const plan = { name: 'plan', datatype: 'BYTES' };
    const texts = Buffer.alloc(4 * 2_000_000);
    const rows = { status: 413, error: expect.stringMatching(/^the request has \d+ rows, but at most \d+ are accepted$/) };
    const elements = { status: 413, error: expect.stringMatching(/^the inputs have more than \d+ elements$/) };
    expect(await send({ ...plan, shape: [2_000_000], bytes: texts })).toMatchObject(rows);
    expect(await send({ ...plan, shape: [1, 2_000_000], bytes: texts })).toMatchObject(elements);
    expect(await send({ ...plan, datatype: 'INT8', shape: [8_000_000], bytes: Buffer.alloc(8_000_000) })).toMatchObject(rows);
    expect(await send({ ...plan, shape: [2_000_000], data: Array(2_000_000).fill('') })).toMatchObject(rows);
    expect(await send({ ...plan, shape: [1, 2_000_000], data: Array(2_000_000).fill('') })).toMatchObject(elements);
    // Many tensors, each of which a model could take.
    const inputs = Array.from({ length: 100 }, (_, i) => ({
      ...plan,
      name: `plan${i}`,
      shape: [1, 10_000],
      bytes: Buffer.alloc(40_000),
    }));
    const { body, headers } = bodyOf(inputs);
    expect(await refused(infer, body, headers)).toMatchObject(elements);
  });

  it('refuses a gzip bomb in every protocol', async () => {
    // 1 GB inside 1 MB.
    const bomb = Buffer.concat(new Array(16).fill(gzipSync(Buffer.alloc(64 * 2 ** 20, ' '))));
    expect(bomb.length).toBeLessThan(2 ** 21);
    const before = process.memoryUsage().rss;
    for (const path of [...ROUTES.map(([, one]) => one), '/v2/models/iris/infer']) {
      expect(await refused(path, bomb, { 'content-encoding': 'gzip' })).toMatchObject({
        status: 413,
        error: 'the inflated body has more than 8388608 bytes',
      });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });

  it('shows nothing of a long name but its beginning', async () => {
    const name = 'x'.repeat(4000);
    for (const path of [`/v2/models/${name}`, `/v1/models/${name}`, `/v2/models/iris/versions/${name}`]) {
      const answer = await ask(server().addresses.http + path);
      expect([answer.status, jsonOf(answer)]).toMatchObject([404, { error: expect.stringMatching(/^there is no .*x{80}…/) }]);
    }
    const { error, status } = await refused(`/v1/models/${name}${name}/predict`, '{}');
    expect([status, error]).toEqual([400, 'a name in the URL is too long']);
  });

  it('says in words what is wrong with the form of a request', async () => {
    const path = '/v1/models/iris/predict';
    const type = await refused(path, '{}', { 'content-type': 'nonsense' });
    expect(type).toMatchObject({ status: 400, error: 'the Content-Type is malformed' });
    expect(await refused('/v1/models/%zz/predict', '{}')).toMatchObject({ status: 400, error: 'the URL is malformed' });
  });
});

describe('with a body limit of 16 MiB', () => {
  const server = serving(2 * SIZE);
  const text = 'x'.repeat(10_000_000);

  it('refuses a text of 10 MB by its length', async () => {
    const row = `{"plan":"${text}","logins":1,"active":true}`;
    const send = async (path: string, body: string | Buffer, headers: Record<string, string> = {}) => {
      const answer = await ask(`${server().addresses.http}${path}`, { body, headers });
      return { status: answer.status, ...(jsonOf(answer) as { error: string }) };
    };
    expect(await send('/v1/models/mixed/predict', `{"rows":[${row}]}`)).toMatchObject({
      status: 400,
      error: 'rows[0].plan must be a string of at most 65536 characters',
    });
    expect(await send('/v1/models/mixed:predict', `{"instances":[["${text}",1,true]]}`)).toMatchObject({
      status: 400,
      error: 'instances[0][0] (plan) must be a string of at most 65536 characters',
    });
    const plan = { name: 'plan', datatype: 'BYTES', shape: [1] };
    const others = [
      { name: 'logins', datatype: 'INT64', shape: [1], data: [1] },
      { name: 'active', datatype: 'BOOL', shape: [1], data: [true] },
    ];
    for (const input of [
      { ...plan, data: [text] },
      { ...plan, bytes: textBytes([text]) },
    ]) {
      const { body, headers } = bodyOf([input, ...others]);
      expect(await send('/v2/models/mixed/infer', body, headers)).toMatchObject({
        status: 400,
        error: 'element 0 of plan has more than 65536 characters',
      });
    }
  });
});
