import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { repository, temporaryFolder } from '../../support/project.ts';
import { CHURN, IRIS, served } from '../served.ts';
import { HOSTILE, writeHostileBundle } from './hostile-bundle.ts';
import { get, post } from './request.ts';

const STRINGS = repository('test', 'fixtures', 'models', 'strings');

/** Whether a value fits a schema of the document. */
// biome-ignore lint/suspicious/noExplicitAny: a document of any form
function fits(document: any, schema: object, value: unknown): boolean {
  const ajv = new Ajv2020({ strict: false });
  return ajv.validate({ ...schema, components: document.components }, value) as boolean;
}

const component = (name: string): object => ({ $ref: `#/components/schemas/${name}` });

it('has the rules of the bundle in the schema of a row, and takes what is rejected by row', async () => {
  const serving = await served([IRIS, CHURN, STRINGS]);
  const { json: document } = await get(serving, '/openapi.json');
  const iris = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const churn = document.paths['/v1/models/churn-mlp/predict'].post.requestBody.content['application/json'].example.rows[0];
  const { price_per_cd, ...lacking } = churn;
  const cases: [key: string, row: object, scored: boolean, taken: boolean][] = [
    ['iris', iris, true, true],
    ['iris', { ...iris, petal_width: 10 }, true, true],
    ['iris', { ...iris, petal_width: 10.1 }, false, true],
    ['iris', { ...iris, petal_width: null }, false, true],
    ['iris', { ...iris, petal_width: '1' }, false, false],
    ['iris', { ...iris, petal_widht: 1 }, false, false],
    ['churn-mlp', churn, true, true],
    ['churn-mlp', lacking, true, true],
    ['churn-mlp', { ...churn, price_per_cd: null }, true, true],
    ['churn-mlp', { ...lacking, orders: null }, false, true],
    ['strings', { plan: 'pro', logins: 3 }, true, true],
    ['strings', { plan: 'gold', logins: 3 }, false, true],
    ['strings', { plan: 'pro', logins: 1.5 }, false, false],
    ['strings', { plan: 'pro', logins: 2 ** 53 }, false, false],
  ];
  for (const [key, row, scored, taken] of cases) {
    expect([row, fits(document, component(`${key}.Row`), row)]).toEqual([row, scored]);
    expect([row, fits(document, component(`${key}.AnyRow`), row)]).toEqual([row, taken]);
    // The document is right about the server.
    const { status, json } = await post(serving, `/v1/models/${key}/predict`, { rows: [row] });
    expect([row, status]).toEqual([row, taken ? 200 : 400]);
    if (!taken) continue;
    expect(fits(document, component(`${key}.Answer`), json)).toBe(true);
    expect('rejected' in json.predictions[0]).toBe(!scored);
  }
});

it('has examples that are scored, each version, and keys that are allowed', async () => {
  const folder = await temporaryFolder();
  const second = path.join(folder, 'second');
  await cp(IRIS, second, { recursive: true });
  const file = path.join(second, 'model.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/^version: .*$/m, 'version: "second"'));
  const hostile = await writeHostileBundle(path.join(folder, 'hostile'));
  const serving = await served([IRIS, second, hostile]);
  const { json: document } = await get(serving, '/openapi.json');
  expect(Object.keys(document.components.schemas).filter((key) => !/^[\w.-]+$/.test(key))).toEqual([]);
  const posts = Object.entries(
    document.paths as Record<string, { post?: { operationId: string; requestBody: object } }>,
  ).flatMap(([url, { post: one }]) => (one && url.includes('/v1/') ? [{ url, ...one }] : []));
  const name = encodeURIComponent(HOSTILE.name);
  expect(posts.map(({ url }) => url).sort()).toEqual(
    [
      ...['/predict', '/versions/2026-11-27/predict', '/versions/second/predict', ':predict'].map(
        (end) => `/v1/models/iris${end}`,
      ),
      ...['/predict', '/versions/1%2F%3C2%3E/predict', ':predict'].map((end) => `/v1/models/${name}${end}`),
    ].sort(),
  );
  expect(new Set(posts.map(({ operationId }) => operationId)).size).toBe(posts.length);
  for (const { url, requestBody } of posts) {
    const { example } = (requestBody as { content: Record<string, { example: object }> }).content['application/json'] ?? {};
    const { status, json } = await post(serving, url, example);
    expect([url, status]).toEqual([url, 200]);
    expect(JSON.stringify(json)).not.toContain('rejected');
  }
});

it('says which credentials are asked for', async () => {
  const open = await served([IRIS]);
  expect((await get(open, '/openapi.json')).json.security).toEqual([]);
  const token = await served([IRIS], { tokens: ['0'.repeat(64)] });
  expect((await get(token, '/openapi.json')).status).toBe(401);
});
