import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Signature } from '../../src/domain/signature.ts';
import { openFeastLookup } from '../../src/feast/feast-lookup.ts';
import { clientOf } from '../serve/grpc/client.ts';
import { post } from '../serve/http/request.ts';
import { served } from '../serve/served.ts';
import { query, repository, statements } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';
import { type RealFeast, startFeast } from './real-feast.ts';
import { storeOf } from './store.ts';

const ROWS = 10_000;
const MIXED = repository('test/fixtures/models/mixed');

let feast: RealFeast;
let warehouse: string;

beforeAll(async () => {
  feast = await startFeast(ROWS);
  warehouse = path.join(feast.folder, 'data', 'warehouse.duckdb');
  const file = (name: string) => `read_parquet('${path.join(feast.folder, 'data', `${name}.parquet`)}')`;
  await statements(warehouse, [
    `create table rows_to_score as select * from ${file('entities')}`,
    `create table latest as select * from ${file('latest')}`,
    `create table retrieved as select * from ${file('retrieved')}`,
  ]);
  await cp(MIXED, path.join(feast.folder, 'model'), { recursive: true });
}, 600_000);
afterAll(() => feast?.remove());

async function init(...args: string[]): Promise<void> {
  const { code, stderr } = await scoreBatchProcess(feast.folder, ['init', ...args], feast.environment);
  expect(code, stderr).toBe(0);
}

it(`writes a query that gives what get_historical_features gives for ${ROWS} rows`, async () => {
  await init('history', '--feast', '.', '--service', 'history', '--table', 'rows_to_score');
  const sql = (await readFile(path.join(feast.folder, 'jobs', 'history.sql'), 'utf8'))
    .replaceAll(':window_start', "timestamptz '2000-01-01 00:00:00Z'")
    .replaceAll(':window_end', "timestamptz '2100-01-01 00:00:00Z'")
    .replaceAll("'data/", `'${feast.folder}/data/`);
  await statements(warehouse, [`create table written as ${sql}`]);
  const keys = 'user_id, shop_id, home_shop, epoch_us(event_timestamp)';
  const ours =
    'plan, logins::bigint, active::boolean, spend::float, points::bigint, place_here__size::double, home__size::double';
  const theirs =
    'profile__plan, profile__logins::bigint, profile__active::boolean, profile__spend::float, profile__points::bigint, place_here__size::double, home__size::double';
  const left = `select ${keys}, ${ours} from written`;
  // pandas writes NaN where a number is null.
  const right = `select ${keys}, ${theirs.replace(/(\w+)::(float|double)/g, "nullif($1::$2, 'nan'::$2)")} from retrieved`;
  const [counts] = await query(
    warehouse,
    `select (select count(*) from written)::int as ours, (select count(*) from retrieved)::int as theirs,
      (select count(*) from (${left} except all ${right}))::int as differ,
      (select count(*) from (${right} except all ${left}))::int as differ_back,
      (select count(logins) from written)::int as known, (select count(*) from written where plan is null and logins is not null)::int as nulls,
      (select count(home__size) from written)::int as homes`,
  );
  expect(counts).toMatchObject({ ours: ROWS, theirs: ROWS, differ: 0, differ_back: 0 });
  // Neither all nor none of it is there.
  for (const name of ['known', 'homes']) {
    expect(counts?.[name]).toBeGreaterThan(ROWS / 10);
    expect(counts?.[name]).toBeLessThan(ROWS - ROWS / 10);
  }
  expect(counts?.nulls).toBeGreaterThan(100);
}, 300_000);

it('scores what the batch scores: rows of a window by the query, requests by the feature server', async () => {
  await init('mixed', '--feast', 'registry.json', '--service', 'mixed_v1', '--table', 'latest', '--model', 'model');
  const file = path.join(feast.folder, 'jobs', 'mixed.yaml');
  const job = (await readFile(file, 'utf8'))
    .replace('Europe/Berlin', 'UTC')
    .replace('every: week', 'every: day')
    .replace(/max_quarantine_rate: .*/, 'max_quarantine_rate: 100%');
  await writeFile(file, job);
  const run = ['run', '--job', 'mixed', '--date', feast.now.toISOString().slice(0, 10), '--allow-open'];
  const { code, stderr } = await scoreBatchProcess(feast.folder, run, feast.environment);
  expect(code, stderr).toBe(0);
  const scores = await query(warehouse, 'select user_id, score from marketing.mixed_scores');
  const batch = new Map(scores.map(({ user_id, score }) => [user_id as string, score as number]));
  const users = (await query(warehouse, 'select user_id from latest order by all')).map(({ user_id }) => user_id as string);
  // Nobody is not there, and some have no plan, or nothing within the view's TTL.
  expect(batch.size).toBeGreaterThan(100);
  expect(users.length - batch.size).toBeGreaterThan(20);

  // Feast's online store keeps what is older than the TTL.
  const ttl = 30 * 86_400_000;
  const options = { features: storeOf(feast.url, { timeoutMs: 30_000, maxAgeMs: ttl + (Date.now() - feast.now.getTime()) }) };
  const serving = await served([MIXED], { ...options, grpcPort: 0 });
  const { json, status } = await post(serving, '/v1/models/mixed/predict', { rows: users.map((user_id) => ({ user_id })) });
  expect(status, JSON.stringify(json).slice(0, 500)).toBe(200);
  const online = json.predictions as { readonly score?: number; readonly rejected?: object }[];
  const differ = users.filter((user, i) => {
    const [one, other] = [batch.get(user), online[i]?.score];
    return one === undefined || other === undefined ? one !== other : !(Math.abs(one - other) <= 1e-6);
  });
  expect(differ).toEqual([]);
  // The Open Inference Protocol by the same key, over REST and gRPC.
  const tensor = { name: 'user_id', shape: [users.length], datatype: 'BYTES' };
  const rest = await post(serving, '/v2/models/mixed/infer', { inputs: [{ ...tensor, data: users }] });
  const expected = online.map(({ score }) => score ?? null);
  expect(rest.json.outputs[0].data).toEqual(expected);
  const contents = { bytes_contents: users.map((user) => Buffer.from(user)) };
  const answer = await clientOf(serving.addresses.grpc).infer({ model_name: 'mixed', inputs: [{ ...tensor, contents }] });
  const [{ contents: scored } = { contents: undefined }] = answer.outputs;
  expect(
    Object.values(scored ?? {})
      .find((list) => list.length > 0)
      ?.map((one) => (Number.isNaN(one) ? null : one)),
  ).toEqual(expected);
}, 300_000);

function signatureOf(name: string, dtype: 'int64' | 'float32'): Signature {
  return {
    inputs: [{ name, dtype, features: [{ name, nullable: false, unknown: 'allow' }] }],
    output: { name: 'score', index: 0 },
  };
}

const LIMITS = { sharedRows: 64, queuedRows: 1000, text: 100 };

it('keeps integers beyond 2^53, and widens float32 as its column is', async () => {
  const store = storeOf(feast.url, { service: 'all_v1', timeoutMs: 30_000 });
  for (const [name, dtype] of [
    ['points', 'int64'],
    ['spend', 'float32'],
  ] as const) {
    const lookup = await openFeastLookup({ store, signature: signatureOf(name, dtype), ...LIMITS });
    const values = await query(
      warehouse,
      `select "user", ${name}::${dtype === 'int64' ? 'varchar' : 'double'} as v from read_parquet('${feast.folder}/data/profiles.parquet')
       qualify row_number() over (partition by "user" order by "at" desc, loaded desc nulls last) = 1 order by 1 limit 50`,
    );
    const found = await lookup.find({ keys: values.map(({ user }) => [user as string]) });
    expect(found.get(0)).toEqual(values.map(({ v }) => (dtype === 'int64' ? BigInt(v as string) : v)));
    lookup.close();
  }
});

it('refuses another entity, an unknown service and a feature that it does not have', async () => {
  const open = (overrides: Parameters<typeof storeOf>[1], name = 'points') =>
    openFeastLookup({
      store: storeOf(feast.url, { timeoutMs: 30_000, ...overrides }),
      signature: signatureOf(name, 'int64'),
      ...LIMITS,
    });
  const configuration = (what: object) => expect.objectContaining({ kind: 'configuration', ...what });
  const says = (text: string) => configuration({ details: [expect.stringContaining(text)] });
  await expect(open({ entities: ['driver_id'] })).rejects.toEqual(says('Missing join key values'));
  await expect(open({ service: 'nobody_v1' })).rejects.toEqual(says('Feature service nobody_v1 does not exist'));
  await expect(open({ entities: ['user_id', 'driver_id'] })).rejects.toEqual(
    configuration({ message: 'driver_id is not a join key of the feature service mixed_v1' }),
  );
  await expect(open({}, 'shoe_size')).rejects.toEqual(
    configuration({ message: expect.stringContaining('shoe_size is not in the service') }),
  );
});

it('answers 503, and UNAVAILABLE over gRPC, once Feast is gone', async () => {
  const features = storeOf(feast.url, { timeoutMs: 2000 });
  const serving = await served([MIXED], { features, grpcPort: 0 });
  const ask = () => post(serving, '/v1/models/mixed/predict', { rows: [{ user_id: 'user 1' }] });
  expect((await ask()).status).toBe(200);
  await feast.kill();
  const { status, headers, json } = await ask();
  expect(status).toBe(503);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(json.error).toBe('features could not be looked up');
  const client = clientOf(serving.addresses.grpc);
  const tensor = { name: 'user_id', shape: [1], datatype: 'BYTES', contents: { bytes_contents: [Buffer.from('user 1')] } };
  await expect(client.infer({ model_name: 'mixed', inputs: [tensor] })).rejects.toMatchObject({ code: 14 });
});
