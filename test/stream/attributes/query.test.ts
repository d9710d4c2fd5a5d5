import { rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { inTurn } from '../../../src/warehouse/duckdb/turns.ts';
import { statements, temporaryFolder } from '../../support/project.ts';
import { eventually, opened } from './opened.ts';

const SETTINGS = {
  warehouse: 'duckdb:users.duckdb',
  query: 'select * from users',
  key: 'user_id',
  version: 'updated',
  refreshMs: 10,
  maxAgeMs: 3_600_000,
} as const;

const TABLE = 'create table users (user_id varchar, updated varchar, home varchar, age bigint)';

async function folderWith(...list: readonly string[]): Promise<{ root: string; run: (...list: string[]) => Promise<void> }> {
  const root = await temporaryFolder();
  const file = path.join(root, 'users.duckdb');
  await statements(file, list);
  return { root, run: (...more) => inTurn(file, () => statements(file, more)) };
}

it('reads a query with versions, and swaps to what it gives later', async () => {
  const { root, run } = await folderWith(
    TABLE,
    "insert into users values ('ann', '2026-11-18 09:00:00', 'DK', 30), ('bob', '2026-11-18 09:00:00.5', null, null), (null, null, 'x', 1)",
  );
  const { attributes, warnings } = await opened(SETTINGS, { root });
  expect(attributes.columns).toEqual([
    { name: 'home', type: 'string' },
    { name: 'age', type: 'int64' },
  ]);
  expect(attributes.find('ann')).toEqual({ version: '2026-11-18 09:00:00', values: ['DK', 30] });
  expect(attributes.find('bob')).toEqual({ version: '2026-11-18 09:00:00.5', values: [null, null] });
  expect(warnings[0]).toBe('1 row of attributes.query without a key is left out');
  const first = attributes.loadedAt;
  await run(
    "update users set home = 'NO', updated = '2026-11-19 09:00:00' where user_id = 'ann'",
    "delete from users where user_id = 'bob'",
  );
  await eventually(() => expect(attributes.find('ann')?.values).toEqual(['NO', 30]));
  expect(attributes.find('bob')).toBeUndefined();
  expect(attributes.loadedAt).toBeGreaterThan(first);
});

it('finds every key at every moment of a refresh, and only whole states', async () => {
  const { root, run } = await folderWith(
    'create table users as select i::varchar as user_id, 1 as a, 1 as b from range(20000) r(i)',
  );
  let refreshes = 0;
  const settings = { ...SETTINGS, version: undefined };
  const limits = { rows: 20_000, bytes: 1e8 };
  const { attributes } = await opened(settings, { root, limits, onRefresh: () => (refreshes += 1) });
  let seen = 0;
  for (let state = 2; state < 5; state += 1) {
    const before = refreshes;
    await run(`update users set a = ${state}, b = ${state}`);
    while (refreshes < before + 2) {
      await new Promise((resolve) => setImmediate(resolve));
      const [ann, bob] = [attributes.find('0'), attributes.find('19999')];
      seen += 1;
      if (ann === undefined || ann.version !== bob?.version || ann.values[0] !== bob.values[1]) {
        expect([ann, bob]).toBe('of one state');
      }
    }
  }
  expect(seen).toBeGreaterThan(100);
  expect(attributes.find('7')?.version).toMatch(/^load 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ$/);
  expect(attributes.find('7')?.version).toBe(`load ${new Date(attributes.loadedAt).toISOString()}`);
});

it('keeps what it has while the table is gone, and ends once that is too old', async () => {
  const { root, run } = await folderWith(TABLE, "insert into users values ('ann', '2026-11-18', 'DK', 30)");
  const { attributes, warnings, failure } = await opened(SETTINGS, { root });
  await run('drop table users');
  await eventually(() => expect(warnings.join()).toContain('the attributes could not be refreshed, so those of 20'));
  expect(attributes.find('ann')?.values).toEqual(['DK', 30]);
  await run(TABLE, "insert into users values ('ann', '2026-11-19', 'SE', 31)");
  await eventually(() => expect(attributes.find('ann')?.values).toEqual(['SE', 31]));
  await attributes.close();

  const short = await opened({ ...SETTINGS, maxAgeMs: 2000 }, { root });
  await run('drop table users');
  expect(await short.failure).toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/^the attributes are \d+ s old, more than attributes\.max_age \(2 s\): /),
  });
  // What was read is still there for the events in flight.
  expect(short.attributes.find('ann')?.values).toEqual(['SE', 31]);
  expect(await Promise.race([failure, 'none'])).toBe('none');
});

it('ends once its rows are too old while a refresh hangs', async () => {
  const { root } = await folderWith(TABLE, "insert into users values ('ann', '2026-11-18', 'DK', 30)");
  let end = () => {};
  const { failure } = await opened({ ...SETTINGS, maxAgeMs: 500 }, { root });
  // Whose turn the file has, nobody else reads it.
  const hanging = inTurn(path.join(root, 'users.duckdb'), () => new Promise<void>((resolve) => (end = resolve)));
  expect(await failure).toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(
      /^the attributes are \d+ s old, more than attributes\.max_age \(1 s\): a refresh takes too long$/,
    ),
  });
  end();
  await hanging;
});

it('keeps what it has when the new rows are refused: keys twice, another type, too many', async () => {
  const { root, run } = await folderWith(TABLE, "insert into users values ('ann', '2026-11-18', 'DK', 30)");
  const { attributes, warnings } = await opened(SETTINGS, { root, limits: { rows: 2, bytes: 1e6 } });
  const warned = (text: string) => eventually(() => expect(warnings.join('\n')).toContain(text));
  await run("insert into users values ('ann', '2026-11-19', 'SE', 31)");
  await warned('a key has more than one row in attributes.query (sha256 ');
  await run("update users set user_id = 'bob' where age = 31", "insert into users values ('eve', '2026-11-19', 'SE', 31)");
  await warned('exceed the limit of 2 rows');
  await run("delete from users where user_id = 'eve'", 'alter table users alter age type double');
  await warned('the column age of attributes.query has changed to the type float64');
  await run('alter table users drop age');
  await warned('attributes.query has no age');
  expect(attributes.find('ann')?.values).toEqual(['DK', 30]);
  expect(warnings.join()).not.toContain("'ann'");
});

it('refuses at the start what cannot be scored with', async () => {
  const { root } = await folderWith('create table users as select 1');
  const refused = async (query: string, message: string, kind = 'refused') => {
    const settings = { ...SETTINGS, version: undefined, key: 'k', query };
    await expect(opened(settings, { root }), query).rejects.toMatchObject({ kind, message: expect.stringContaining(message) });
  };
  await refused("select 'a' as k, 1 as v union all select 'a', 2", 'a key has more than one row');
  await refused("select 'a' as k, 9007199254740993 as v", 'a value of v in attributes.query is beyond 2^53');
  await refused("select 'a' as k, 'nan'::double as v", 'a value of v in attributes.query is infinite or not a number');
  await refused("select 'a' as k, '-inf'::float as v", 'a value of v in attributes.query is infinite or not a number');
  await refused('select 1.5 as k, 1 as v', 'the key k of attributes.query has the type DECIMAL(2,1)', 'configuration');
  for (const [type, shown] of [
    ['timestamp', 'TIMESTAMP'],
    ['timestamptz', 'TIMESTAMP WITH TIME ZONE'],
    ['date', 'DATE'],
  ]) {
    const sql = `cast('2026-11-18' as ${type})`;
    await refused(`select ${sql} as k, 1 as v`, `the key k of attributes.query has the type ${shown}`, 'configuration');
    const query = `select 'a' as k, ${sql} as v`;
    await expect(opened({ ...SETTINGS, key: 'k', version: 'v', query }, { root })).rejects.toMatchObject({
      kind: 'configuration',
      message: `the version v of attributes.query has the type ${shown}`,
      hint: expect.stringContaining('to text or to a whole number, in the query'),
    });
    await expect(opened({ ...SETTINGS, key: 'k', version: undefined, query }, { root, need: ['v'] })).rejects.toMatchObject({
      message: `the column v of attributes.query has the type ${shown}`,
    });
  }
  await refused("select 'a' as user_id, 1 as v", 'attributes.query has no column k', 'configuration');
  await refused("select 'a' as k from absent", 'DuckDB rejects attributes.query', 'configuration');
  await expect(
    opened({ ...SETTINGS, version: 'v', key: 'k', query: "select 'a' as k, null::bigint as v" }, { root }),
  ).rejects.toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('a row of attributes.query has no v (key sha256 '),
  });
  await expect(
    opened({ ...SETTINGS, version: undefined, key: 'k', query: "select 'a' as k, [1] as v" }, { root, need: ['v'] }),
  ).rejects.toMatchObject({
    kind: 'configuration',
    message: 'the column v of attributes.query has the type INTEGER[]',
  });
  await rename(path.join(root, 'users.duckdb'), path.join(root, 'other.duckdb'));
  await refused("select 'a' as k, 1 as v", 'users.duckdb', 'configuration');
});

it('gives the values of every type that SQL joins', async () => {
  const { root } = await folderWith('create table t (a bigint)');
  const query = `select 7::bigint as k, 0.1::float as single, 1/3::double as third, 12.50::decimal(9,2) as price, -1::tinyint as small,
    true as yes, date '2026-11-18' as day, timestamptz '2026-11-18 10:00:00+01' as at, '67e55044-10b1-426f-9247-bb680e5fe0c8'::uuid as id,
    12::decimal(9,0) as whole, 'a\n"b"\u2028' as text, [1] as list, null::double as nothing`;
  const { attributes } = await opened({ ...SETTINGS, query, key: 'K', version: 'WHOLE' }, { root });
  expect(attributes.find('7')).toEqual({
    version: '12',
    values: [0.10000000149011612, 1 / 3, 12.5, -1, true, 'a\n"b"\u2028', null],
  });
  expect(attributes.columns.map(({ type }) => type).join()).toBe('float64,float64,float64,int64,bool,string,float64');
});

it('reads many rows part by part of their keys', async () => {
  const { root } = await folderWith('create table t (a bigint)');
  const query = "select 'user ' || i as k, i as v, i % 3 = 0 as third, 'country ' || (i % 50) as home from range(250000) r(i)";
  const limits = { rows: 250_000, bytes: 1e8 };
  const { attributes } = await opened(
    { ...SETTINGS, query, key: 'k', version: undefined, refreshMs: 3_600_000 },
    { root, limits },
  );
  expect(attributes.rows).toBe(250_000);
  for (const i of [0, 99_999, 100_000, 249_999]) {
    expect(attributes.find(`user ${i}`)?.values).toEqual([i, i % 3 === 0, `country ${i % 50}`]);
  }
  // Of which the keys take 28 MB.
  expect(attributes.bytes).toBeLessThan(35e6);
});
