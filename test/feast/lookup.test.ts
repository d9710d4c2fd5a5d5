import { expect, it } from 'vitest';
import type { FeatureStore } from '../../src/serve/feature-lookup.ts';
import { post } from '../serve/http/request.ts';
import { metricOf } from '../serve/process/server.ts';
import { served } from '../serve/served.ts';
import { repository } from '../support/project.ts';
import { fakeFeast, feastAnswer, type Store, sendJson } from './fake-feast.ts';
import { storeOf } from './store.ts';

// What Feast cannot be made to answer comes from a server of the tests; feast.feast.test.ts asks a real one.

const MIXED = repository('test/fixtures/models/mixed');
const PREDICT = '/v1/models/mixed/predict';

const STORE: Store = {
  profile__plan: { ann: 'pro', bob: 'anything', eve: 'free' },
  profile__logins: { ann: 40, bob: 3, eve: null },
  profile__active: { ann: true, bob: false },
};

it('looks features up by the key of a row, all that come together in one call, and each entity once', async () => {
  const feast = await fakeFeast(STORE);
  const { addresses, service } = await served([MIXED], { features: storeOf(feast.url) });
  const serving = { addresses, service } as never;
  const whole = [
    { plan: 'pro', logins: 40, active: true },
    { plan: 'anything', logins: 3, active: false },
  ];
  const { json: expected } = await post(serving, PREDICT, { rows: whole });
  feast.asked.length = 0;
  const { status, json } = await post(serving, PREDICT, { rows: [{ user_id: 'ann' }, { user_id: 'bob' }, { user_id: 'ann' }] });
  expect({ status, json }).toEqual({
    status: 200,
    json: { ...expected, predictions: [...expected.predictions, expected.predictions[0]] },
  });
  expect(feast.asked).toEqual([{ user_id: ['ann', 'bob'] }]);
  // While a call is in flight, the others gather for the next one.
  feast.asked.length = 0;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => post(serving, PREDICT, { rows: [{ user_id: i % 2 ? 'ann' : 'bob' }] })),
  );
  expect(answers.map(({ json: one }) => one.predictions[0])).toEqual(
    answers.map((_, i) => expected.predictions[i % 2 ? 0 : 1]),
  );
  expect(feast.asked.length).toBeLessThan(15);
  const metrics = await (await fetch(`${addresses.http}/metrics`)).text();
  expect(metricOf(metrics, 'score_batch_serve_feast_seconds_count{model="mixed",version="1",outcome="ok"}')).toBe(
    1 + feast.asked.length,
  );
});

it('takes what a row brings itself, asks for nobody where it brings all, and says which key is missing', async () => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url, { request: ['active'] }) });
  feast.asked.length = 0;
  const own = { plan: 'pro', logins: 40 };
  const { json } = await post(serving, PREDICT, {
    rows: [
      { ...own, active: true },
      { user_id: 'bob', ...own, active: true },
      { user_id: 'bob', logins: 40, plan: null, active: true },
    ],
  });
  expect(json.predictions).toEqual([
    { score: expect.closeTo(0.000911051, 6) },
    { score: expect.closeTo(0.000911051, 6) },
    { rejected: { reason: 'null in a required feature', feature: 'plan' } },
  ]);
  expect(feast.asked).toEqual([]);
  const refused = await post(serving, PREDICT, { rows: [{ active: true }, { user_id: 7, active: true }, { user_ids: 'x' }] });
  expect(refused.status).toBe(400);
  expect(refused.json.details).toEqual([
    'rows[1].user_id must be a string of at most 65536 characters',
    'rows[2] has the unknown field "user_ids": did you mean user_id?',
    'rows[0] has no user_id: send user_id to look up the features, or send every feature',
    'rows[2] has no user_id: send user_id to look up the features, or send every feature',
  ]);
  // KServe's V1: an object names the key, a list has every feature.
  const v1 = await post(serving, '/v1/models/mixed:predict', {
    instances: [{ user_id: 'ann', active: true }, ['pro', 40, true]],
  });
  expect(v1.json.predictions).toEqual([expect.closeTo(0.000911051, 6), expect.closeTo(0.000911051, 6)]);
  expect(feast.asked).toEqual([{ user_id: ['ann'] }]);
});

it('takes nulls by the rules of the bundle, and what is too old for one', async () => {
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url, { maxAgeMs: 60_000 }) });
  const rejected = (feature: string) => ({ rejected: { reason: 'null in a required feature', feature } });
  const { json } = await post(serving, PREDICT, { rows: [{ user_id: 'nobody' }, { user_id: 'eve' }, { user_id: 'ann' }] });
  expect(json.predictions).toEqual([rejected('plan'), rejected('logins'), { score: expect.closeTo(0.000911051, 6) }]);
  feast.answer = (response, entities) => sendJson(response, feastAnswer(STORE, entities, { at: hourAgo }));
  expect((await post(serving, PREDICT, { rows: [{ user_id: 'ann' }] })).json.predictions).toEqual([rejected('plan')]);
  feast.answer = (response, entities) =>
    sendJson(response, JSON.stringify(feastAnswer(STORE, entities)).replaceAll('"PRESENT"', '"OUTSIDE_MAX_AGE"'));
  expect((await post(serving, PREDICT, { rows: [{ user_id: 'ann' }] })).json.predictions).toEqual([rejected('plan')]);
  const metrics = await (await fetch(`${serving.addresses.http}/metrics`)).text();
  const nulls = (reason: string) =>
    metricOf(metrics, `score_batch_serve_feast_nulls_total{model="mixed",version="1",reason="${reason}"}`);
  // Eve is active for nobody knows whom: two of her values are there, one is null, one was not found.
  expect(['not found', 'null', 'too old', 'outside max age'].map(nulls)).toEqual([4, 1, 3, 3]);
});

it('keeps integers beyond 2^53, booleans and texts as they are, and refuses other types', async () => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url) });
  const exact = (logins: string, more: Record<string, unknown> = {}) => {
    feast.answer = (response, entities) => {
      const store = {
        profile__plan: { ann: 'pro' },
        profile__logins: { ann: 'LOGINS' },
        profile__active: { ann: true },
        ...more,
      };
      sendJson(response, JSON.stringify(feastAnswer(store, entities)).replace('"LOGINS"', logins));
    };
    return post(serving, PREDICT, { rows: [{ user_id: 'ann' }] });
  };
  for (const logins of ['9007199254740993', '-9223372036854775808', 'true', '40'])
    expect((await exact(logins)).status, logins).toBe(200);
  const hints = [];
  for (const logins of ['9223372036854775808', '1.5', '"40"', '[40]', '1e300']) {
    const { status, json, headers } = await exact(logins);
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    hints.push(json.hint);
  }
  expect(new Set(hints)).toEqual(
    new Set(['the feature service mixed_v1 has a profile__logins that is not a 64-bit whole number, as logins must be']),
  );
  expect((await exact('40', { profile__plan: { ann: 1 } })).json.hint).toContain('profile__plan that is not a string');
  expect((await exact('40', { profile__active: { ann: 1 } })).json.hint).toContain('profile__active that is not true or false');
});

/** What Feast, or something that is not Feast, may answer. */
const WRONG: Record<string, { readonly send: (answer: object) => unknown; readonly status?: number; readonly says: string }> = {
  'a page of HTML': { send: () => '<html>welcome</html>', says: 'the answer is not JSON' },
  'JSON of another shape': { send: () => ({ fine: true }), says: 'metadata is not an object' },
  'rows by entity': { send: () => ({ field_values: [] }), says: 'metadata is not an object' },
  'fewer results than names': {
    send: (answer) => ({ ...answer, results: [] }),
    says: 'the answer has 0 results for 4 names',
  },
  'fewer values than entities': {
    send: (answer) => JSON.parse(JSON.stringify(answer, (key, value) => (key === 'values' ? [] : value))),
    says: 'values has 0 elements for 1 entities',
  },
  'a status that Feast does not have': {
    send: (answer) => JSON.stringify(answer).replace('PRESENT', 'MAYBE'),
    says: "a status is not one of Feast's",
  },
  'more than it may': { send: () => `"${'x'.repeat(2 ** 20)}"`, says: 'the answer has more than 1048576 bytes' },
  'an error': { send: () => 'sorry, ann', status: 500, says: 'it answered with status 500' },
  'a redirection': { send: () => '', status: 302, says: 'it answered with status 302' },
};

it.each(Object.entries(WRONG))('answers 503 and no score where Feast answers %s', async (_, { send, status = 200, says }) => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url), grpcPort: 0 });
  feast.answer = (response, entities) => sendJson(response, send(feastAnswer(STORE, entities)), status);
  const refused = await post(serving, PREDICT, { rows: [{ user_id: 'ann' }] });
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused.json).toEqual({ error: 'features could not be looked up', hint: `the feature store failed: ${says}` });
  // Requests that bring everything do not need Feast.
  const whole = await post(serving, PREDICT, { rows: [{ plan: 'pro', logins: 40, active: true }] });
  expect(whole.status).toBe(200);
});

it('answers 503 quickly while Feast hangs, and asks it no more after some failures', async () => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url, { pauseMs: 600_000 }) });
  const ask = () => post(serving, PREDICT, { rows: [{ user_id: 'ann' }] });
  feast.answer = () => undefined;
  feast.asked.length = 0;
  const hanging = await Promise.all(Array.from({ length: 40 }, ask));
  expect(hanging.map(({ status }) => status)).toEqual(Array(40).fill(503));
  expect(hanging.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true);
  while ((await ask()).json.hint !== 'the feature store does not respond: send the request again later');
  const calls = feast.asked.length;
  expect(calls).toBe(3);
  expect((await Promise.all(Array.from({ length: 40 }, ask))).every(({ status }) => status === 503)).toBe(true);
  expect(feast.asked.length).toBe(calls);
  const paused = async () =>
    metricOf(
      await (await fetch(`${serving.addresses.http}/metrics`)).text(),
      'score_batch_serve_feast_paused{model="mixed",version="1"}',
    );
  expect(await paused()).toBe(1);
});

it('asks Feast again once it is back at its address', async () => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url) });
  const ask = () => post(serving, PREDICT, { rows: [{ user_id: 'ann' }] });
  const paused = async () =>
    metricOf(
      await (await fetch(`${serving.addresses.http}/metrics`)).text(),
      'score_batch_serve_feast_paused{model="mixed",version="1"}',
    );
  await feast.close();
  while ((await ask()).json.hint !== 'the feature store failed: no connection (ECONNREFUSED)');
  const again = await fakeFeast(STORE, { port: Number(new URL(feast.url).port) });
  while ((await ask()).status !== 200);
  expect(again.asked.length).toBeGreaterThan(0);
  expect(await paused()).toBe(0);
  const ready = await fetch(`${serving.addresses.http}/v2/health/ready`);
  expect(ready.status).toBe(200);
});

it.each([422, 500])('finds the request whose key Feast refuses with %i, answers the others, and asks on', async (refusal) => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url, { failures: 5, pauseMs: 600_000 }) });
  feast.answer = (response, entities) =>
    entities.user_id?.includes('odd') ? sendJson(response, 'no', refusal) : sendJson(response, feastAnswer(STORE, entities));
  for (const odd of [0, 7, 19]) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => post(serving, PREDICT, { rows: [{ user_id: i === odd ? 'odd' : 'ann' }] })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, (_, i) => (i === odd ? 503 : 200)));
  }
  // Alone, too, and more often than Feast may fail.
  for (let i = 0; i < 7; i += 1) expect((await post(serving, PREDICT, { rows: [{ user_id: 'odd' }] })).status).toBe(503);
  expect((await post(serving, PREDICT, { rows: [{ user_id: 'ann' }] })).status).toBe(200);
  const metrics = await (await fetch(`${serving.addresses.http}/metrics`)).text();
  expect(metricOf(metrics, 'score_batch_serve_feast_paused{model="mixed",version="1"}')).toBe(0);
});

it('asks on after a pause if one of the requests that share the trial is answered, and pauses if Feast refuses all', async () => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url, { failures: 3, pauseMs: 100 }) });
  const ask = (user: string) => post(serving, PREDICT, { rows: [{ user_id: user }] });
  feast.answer = (response) => sendJson(response, 'no', 500);
  const refused = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(`user ${i}`)));
  expect(refused.map(({ status }) => status)).toEqual(Array(40).fill(503));
  expect(feast.asked.length).toBeLessThan(20);
  feast.answer = (response, entities) =>
    entities.user_id?.includes('odd') ? sendJson(response, 'no', 500) : sendJson(response, feastAnswer(STORE, entities));
  let answers: { status: number }[] = [];
  while (!answers.some(({ status }) => status === 200)) answers = await Promise.all(['odd', 'ann', 'bob'].map(ask));
  expect((await ask('ann')).status).toBe(200);
});

it('makes several calls for many entities, and smaller ones where an answer is too large', async () => {
  const users = Array.from({ length: 23 }, (_, i) => `user ${i}`);
  const logins = Object.fromEntries(users.map((user, i) => [user, i]));
  const all = (value: unknown) => Object.fromEntries(users.map((user) => [user, value]));
  const feast = await fakeFeast({ profile__plan: all('pro'), profile__logins: logins, profile__active: all(true) });
  const rows = users.map((user_id) => ({ user_id }));
  const whole = users.map((_, i) => ({ plan: 'pro', logins: i, active: true }));
  for (const [overrides, most] of [
    [{ callEntities: 10, concurrency: 2 }, 10],
    [{ answerBytes: 2000 }, 23],
  ] as const) {
    const serving = await served([MIXED], { features: storeOf(feast.url, overrides) });
    const { json: expected } = await post(serving, PREDICT, { rows: whole });
    feast.asked.length = 0;
    const { json } = await post(serving, PREDICT, { rows });
    expect(json).toEqual(expected);
    expect(feast.asked.length).toBeGreaterThan(2);
    expect(Math.max(...feast.asked.map(({ user_id }) => user_id?.length ?? 0))).toBe(most);
  }
});

it('gives no row the features of another one', async () => {
  const feast = await fakeFeast(STORE);
  const serving = await served([MIXED], { features: storeOf(feast.url) });
  feast.answer = (response, { user_id = [] }) => sendJson(response, feastAnswer(STORE, { user_id: [...user_id].sort() }));
  const rows = [{ user_id: 'bob' }, { user_id: 'ann' }];
  const { status, json } = await post(serving, PREDICT, { rows });
  expect([status, json.hint]).toEqual([
    503,
    'the feature store failed: the answer is for other entities than the requested ones',
  ]);
  expect((await post(serving, PREDICT, { rows: rows.toReversed() })).status).toBe(200);
});

it('refuses at the start what cannot work, and says what it is', async () => {
  const feast = await fakeFeast(STORE);
  const start = (overrides: Partial<FeatureStore> = {}) => served([MIXED], { features: storeOf(feast.url, overrides) });
  await expect(start({ request: ['activ'] })).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('activ in features.request is not a feature of the model'),
  });
  // Feast passes over entities that it does not need.
  await expect(start({ entities: ['user_id', 'driver_id'] })).rejects.toMatchObject({
    kind: 'configuration',
    message: 'driver_id is not a join key of the feature service mixed_v1',
  });
  const without = (name: string) => {
    const { [name]: _, ...rest } = STORE;
    return rest;
  };
  feast.answer = (response, entities) => sendJson(response, feastAnswer(without('profile__active'), entities));
  await expect(start()).rejects.toMatchObject({
    kind: 'configuration',
    message: 'the feature service mixed_v1 does not fit the model: active is not in the service',
  });
  feast.answer = (response, entities) => sendJson(response, feastAnswer({ ...STORE, account__plan: {} }, entities));
  await expect(start()).rejects.toMatchObject({ message: expect.stringContaining('plan is in several views') });
  feast.answer = (response) => sendJson(response, '"Missing join key values for keys: [\'user_id\']"', 500);
  await expect(start()).rejects.toMatchObject({
    kind: 'configuration',
    details: [expect.stringContaining('Missing join key values')],
  });
  feast.answer = (response) => sendJson(response, '', 403);
  await expect(start()).rejects.toMatchObject({ kind: 'permission' });
  feast.answer = (response) => sendJson(response, '<html></html>');
  await expect(start()).rejects.toMatchObject({ kind: 'configuration' });
  feast.answer = () => undefined;
  await expect(start()).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('no answer within 300 ms'),
  });
  await feast.close();
  await expect(start()).rejects.toMatchObject({ kind: 'unavailable' });
});
