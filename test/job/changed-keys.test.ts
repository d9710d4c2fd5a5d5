import { describe, expect, it } from 'vitest';
import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import { type Database, openDatabase } from '../../src/duckdb/database.ts';
import { bindSlice, type SliceBinding } from '../../src/job/changed-keys.ts';
import { bindWindow } from '../../src/job/parameters.ts';
import { presentError } from '../../src/terminal/error.ts';
import { renderQuery } from '../../src/warehouse/duckdb/query.ts';
import { weekWindow } from '../../src/window/window.ts';
import { temporaryFolder } from '../support/project.ts';

const WEEK = weekWindow('2026-10-19', 'Europe/Berlin');

const SLICE: SliceBinding = {
  name: 'jobs/q.sql',
  kind: 'duckdb',
  zone: 'America/New_York',
  since: '1997-01-01',
  asOf: '2026-11-18T09:00:00.000001Z',
  key: ['user_id'],
  changed: { relation: 'changed', columns: ['user_id'] },
};

async function rowsOf(database: Database, sql: string, binding: Partial<SliceBinding> = {}): Promise<string[]> {
  const { sql: text, values } = renderQuery(bindSlice(sql, { ...SLICE, ...binding }));
  const rows = await database.rows(text, values);
  return rows.map((row) => row.map(String).join('/')).sort();
}

async function withChanged(): Promise<Database> {
  const database = await openDatabase(':memory:', { memory: 1e9, temporary: await temporaryFolder() });
  await database.run(`create table orders as select i % 5 as user_id, 's' || i % 2 as "the shop", i as amount from range(20) t(i);
    create table changed as select unnest([1, 3]) as user_id, unnest(['s1', 's0']) as shop`);
  return database;
}

it('binds the slice to the microsecond: from the start of a day to its instant, and to the end of the day of the last one', () => {
  const sql = 'select :window_start, :window_end, :window_start_local, :window_end_local, :window_start_date, :window_end_date';
  const valuesAt = (asOf: string) =>
    bindSlice(sql, { ...SLICE, asOf, changed: undefined }).parameters.map(({ value }) => value);
  expect(bindSlice(sql, { ...SLICE, changed: undefined }).parameters).toEqual([
    { name: 'window_start', type: 'timestamp', value: '1997-01-01T05:00:00.000000Z' },
    { name: 'window_end', type: 'timestamp', value: '2026-11-18T09:00:00.000001Z' },
    { name: 'window_start_local', type: 'datetime', value: '1997-01-01T00:00:00.000000' },
    { name: 'window_end_local', type: 'datetime', value: '2026-11-18T04:00:00.000001' },
    { name: 'window_start_date', type: 'date', value: '1997-01-01' },
    { name: 'window_end_date', type: 'date', value: '2026-11-19' },
  ]);
  // A midnight ends its day, an instant later the next one has begun.
  expect(valuesAt('2026-11-18T05:00:00.000000Z').slice(3)).toEqual(['2026-11-18T00:00:00.000000', '1997-01-01', '2026-11-18']);
  expect(valuesAt('2026-11-18T05:00:00.000001Z').slice(3)).toEqual(['2026-11-18T00:00:00.000001', '1997-01-01', '2026-11-19']);
});

it('keeps all six digits in DuckDB', async () => {
  await using database = await withChanged();
  const sql = `select strftime(:window_end, '%f') as user_id, strftime(:window_end_local, '%f')`;
  expect(await rowsOf(database, sql, { changed: undefined })).toEqual(['000001/000001']);
});

describe('selects the changed users', () => {
  it('where the query says so, and in all that comes back', async () => {
    await using database = await withChanged();
    // The predicate is where it saves reading; a query that loses it still gives these users only.
    const inside = 'select user_id, sum(amount) as total from orders where user_id in (:changed_keys) group by user_id';
    const without = 'select user_id, sum(amount) as total from orders group by user_id -- all of them';
    expect(await rowsOf(database, inside)).toEqual(['1/34', '3/42']);
    expect(await rowsOf(database, without)).toEqual(['1/34', '3/42']);
    expect(await rowsOf(database, inside, { changed: undefined })).toHaveLength(5);
    const parameters =
      'with o as (select * from orders where :window_start < :window_end and (user_id IN ( :CHANGED_KEYS ))) from o';
    expect(await rowsOf(database, parameters)).toHaveLength(8);
  });

  it('by keys of several columns, in the order of source.key', async () => {
    await using database = await withChanged();
    const binding = { key: ['user_id', '"the shop"'], changed: { relation: 'changed', columns: ['user_id', 'shop'] } };
    const sql = 'select * from orders as o where (o.user_id, o."the shop")in(:changed_keys)';
    const rows = await rowsOf(database, sql, binding);
    expect(rows).toEqual(['1/s1/1', '1/s1/11', '3/s0/18', '3/s0/8']);
    expect(await rowsOf(database, 'select * from orders', binding)).toEqual(rows);
    const { texts } = bindSlice('select * from o where (a, b) in (:changed_keys)', {
      ...{ ...SLICE, kind: 'bigquery', key: ['a', 'b'] },
      changed: { relation: '`s`.`t`', columns: ['`x`', '`y`'] },
    });
    expect(texts).toEqual([
      'SELECT * FROM (select * from o where (a, b) IN (SELECT (`x`, `y`) FROM `s`.`t`)\n) WHERE (a, b) IN (SELECT (`x`, `y`) FROM `s`.`t`)',
    ]);
  });

  it.each<[WarehouseKind, string]>([
    ['duckdb', 'where u.user_id in (:changed_keys)'],
    ['duckdb', 'from (select 1 where (user_id in (:changed_keys))) o'],
    ['duckdb', 'where ("a b") in (:changed_keys) group by 1'],
    ['duckdb', 'from a join b on b."x""y" . z in (:changed_keys) and 1 = 2'],
    ['duckdb', 'qualify user_id\nin (\n:changed_keys\n) -- the users'],
    ['duckdb', "where ((user_id in (:changed_keys)) and x = ':changed_keys') /* :changed_keys */"],
    ['bigquery', 'where `a b`.`c` in (:changed_keys) # all'],
    ['snowflake', 'where "A""B" in (:changed_keys) // all'],
  ])('of %s where nothing else could be meant: %s', (kind, sql) => {
    const { texts } = bindSlice(sql, { ...SLICE, kind });
    expect(texts.join('').match(/IN \(SELECT user_id FROM changed\)/g)).toHaveLength(2);
    const [batch] = bindWindow(sql, WEEK, 'q.sql', kind).texts;
    expect(batch).toContain('1 = 1');
    expect(batch).not.toContain('in (');
  });
});

it('refuses every other use, in a slice and in the batch', () => {
  const wrong = [
    'where user_id not in (:changed_keys)',
    'where not user_id in (:changed_keys)',
    'where not (user_id in (:changed_keys))',
    'where not ((a) in (:changed_keys))',
    'where user_id = any(:changed_keys)',
    'where user_id = :changed_keys',
    'where user_id in :changed_keys',
    'where user_id in (:changed_keys, 1)',
    'where user_id in (1, :changed_keys)',
    'where lower(user_id) in (:changed_keys)',
    'where user_id + 1 in (:changed_keys)',
    'where a or user_id in (:changed_keys)',
    'where user_id in (:changed_keys) or a',
    'where user_id in (:changed_keys) is false',
    'where (user_id in (:changed_keys)) = false',
    'select user_id in (:changed_keys)',
    'select if(user_id in (:changed_keys), 1, 0)',
    'select case when user_id in (:changed_keys) then 1 end',
    'from (:changed_keys)',
    ':changed_keys',
  ];
  const allowed = wrong.filter((sql) => {
    const bound = [() => bindSlice(sql, SLICE), () => bindWindow(sql, WEEK, 'q.sql', 'duckdb')];
    return bound.some((work) => !refused(work).includes('other than as user_id in (:changed_keys)'));
  });
  expect(allowed).toEqual([]);
  const shown = [
    refused(() => bindSlice('select :changed_keys', SLICE)),
    refused(() => bindSlice('where (a, b) in (:changed_keys)', SLICE)),
    refused(() => bindSlice('where a in (:changed_key)', SLICE)),
    refused(() => bindSlice('where a > :window_until', SLICE)),
  ];
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: jobs/q.sql uses :changed_keys other than as user_id in (:changed_keys)
      write a column, or a list of columns in parentheses in the order of source.key, right after where, and, on, having or qualify,
      and combine the predicate with AND only
    hint: leave :changed_keys out if the query has no place for it: a slice keeps only the users that changed
    exit code 78

    error: jobs/q.sql has (a, b) in (:changed_keys), but source.key has 1 column
    hint: write the columns of source.key in its order: user_id
    exit code 78

    error: jobs/q.sql uses the unknown parameter :changed_key
    hint: did you mean changed_keys?
    exit code 78

    error: jobs/q.sql uses the unknown parameter :window_until
    hint: did you mean window_end?
    exit code 78"
  `);
});

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const { text, exitCode } = presentError(error);
    return `${text}\nexit code ${exitCode}`;
  }
  return 'not refused';
}
