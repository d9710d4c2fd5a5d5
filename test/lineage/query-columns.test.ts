import { expect, it } from 'vitest';
import { queryColumns } from '../../src/lineage/query-columns.ts';
import { queryTree, type ReadTable, readTables } from '../../src/lineage/query-tree.ts';

const nameOf = ({ table, files = [] }: ReadTable) =>
  table
    ? { namespace: 'w', name: table.join('.') }
    : files.length === 1
      ? { namespace: 'file', name: String(files[0]) }
      : undefined;

/** `c` → `t.c` where the query returns it as it is, `(t.c)` where it computes from it; columns without a known origin are left out. */
async function traced(sql: string, columns: string): Promise<Record<string, string>> {
  const [first = '', ...more] = sql.split(/:\w+/);
  const names = [...sql.matchAll(/:(\w+)/g)].map(([, name = '']) => ({ name, type: 'date' as const, value: '2026-01-01' }));
  const tree = await queryTree({ name: 'q', texts: [first, ...more], parameters: names });
  const found = queryColumns(tree, nameOf, columns.split(' '));
  const shown = [...found].map(([name, origins]) => [
    name,
    origins.map(({ name: table, field, identity }) => (identity ? `${table}.${field}` : `(${table}.${field})`)).join(' '),
  ]);
  return Object.fromEntries(shown);
}

it.each([
  ['select User_Id, a + 1 as b from users where d >= :d', 'user_id b', { user_id: 'users.User_Id', b: '(users.a)' }],
  ['select * from s.users', 'A b', { a: 's.users.A', b: 's.users.b' }],
  ['select * exclude (b) from users', 'a', { a: 'users.a' }],
  ['select u.*, o.x from users u join orders o on o.id = u.id', 'a x', { x: 'orders.x', a: 'users.a' }],
  ['select a, o.x from users u join orders o on o.id = u.id', 'a x', { x: 'orders.x' }],
  ['select id, o.x from users u join orders o using (id)', 'id x', { id: 'users.id', x: 'orders.x' }],
  ['select id from users u full join orders o using (id)', 'id', { id: 'users.id orders.id' }],
  [
    'with r as (select id, sum(x) as total from orders group by id) select id, total / 2 as half from r',
    'id half',
    { id: 'orders.id', half: '(orders.x)' },
  ],
  ['with r(k, v) as (select id, x from orders) select k, v from r', 'k v', { k: 'orders.id', v: 'orders.x' }],
  ['with users as (select * from users) select a from users', 'a', { a: 'users.a' }],
  ['select a, b from x union all select c, d + 1 from y', 'a b', { a: 'x.a y.c', b: 'x.b (y.d)' }],
  ['select s.a from (select a, b from users) s(c, a)', 'a', { a: 'users.b' }],
  ["select a from 'f/x.parquet'", 'a', { a: 'f/x.parquet.a' }],
  ["select a from read_csv('f/x.csv', header = true)", 'a', { a: 'f/x.csv.a' }],
  ['select u.a.b as f from users u', 'f', {}],
  ['select sum(a) as a, a * 2 as b from users', 'a b', { a: '(users.a)', b: '(users.a)' }],
  ['select x as a, a * 2 as b from users', 'a b', { a: 'users.x' }],
  ['select count(*) as n, (select max(o.x) from orders o where o.id = u.id) as m from users u', 'n m', { m: '(orders.x)' }],
  ['select (select max(x) from orders) as m from users', 'm', {}],
  ['select s.x, y from users u, (select u.a as x, c as y from orders) s', 'x y', {}],
  ['select a from users natural join orders', 'a', {}],
  ['select columns(*) from users', 'a', {}],
  ['select * replace (a + 1 as a) from users', 'a b', {}],
  ['select list_transform(xs, x -> x + a) as l from users', 'l', {}],
  ['with recursive r as (select 1 as n union all select n + 1 from r) select n from r', 'n', {}],
  ['select unnest(range(3)) as n, v.a from (values (1, 2)) v(a, b)', 'n a', {}],
])('%s', async (sql, columns, expected) => {
  expect(await traced(sql, columns)).toEqual(expected);
});

it.each([
  [
    'with r as (select * from a), users as (select * from users) select * from r join users using (id) where id in (select id from b.c)',
    ['a', 'users', 'b.c'],
  ],
  ["select * from read_parquet(['x.parquet', 'y.parquet']) union select * from db.s.t", ['x.parquet y.parquet', 'db.s.t']],
  ['select * from a where exists (with a as (select 1 as one) select * from a)', ['a']],
  ['select 1 as one', []],
  ['with recursive T as (select id from users union all select id + 1 from t where id < 3) select * from t', ['users']],
  ['with recursive t as (select id from t union all select id + 1 from t where id < 3) select * from t', ['t']],
  ['with recursive t as (select id from users union all select id from s.t) select * from t', ['users', 's.t']],
  [
    'with recursive t(id, n) using key (id) as (select id, 1 from users union select id, n + 1 from recurring.t) select * from t',
    ['users'],
  ],
])('the tables of %s', async (sql, expected) => {
  const tree = await queryTree({ name: 'q', texts: [sql], parameters: [] });
  expect(
    readTables(tree)
      .map(({ table, files = [] }) => table?.join('.') ?? files.join(' '))
      .sort(),
  ).toEqual([...expected].sort());
});

it('has no tree of what is not a SELECT', async () => {
  await expect(queryTree({ name: 'q', texts: ['drop table users'], parameters: [] })).rejects.toThrow();
});
