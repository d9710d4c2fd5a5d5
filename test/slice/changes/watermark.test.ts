import fc from 'fast-check';
import { describe as area, expect, it } from 'vitest';
import { formatMicroseconds, parseMicroseconds } from '../../../src/domain/microseconds.ts';
import type { Database } from '../../../src/duckdb/database.ts';
import { asOfOf } from '../../../src/slice/changes/declared.ts';
import type { ChangeSource, SpanLimits } from '../../../src/slice/changes/source.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import { boundsOf, refusal, sourceOn, USER } from './job.ts';

const ORDERS = 'create table orders (user_id bigint, loaded timestamptz)';
const WATERMARK = { table: 'orders', watermark: 'loaded' };

async function spanFrom(database: Database, source: ChangeSource, from: string | null, limits?: SpanLimits) {
  return source.span(await boundsOf(database, source, from), from, limits);
}

async function keysOf(database: Database, source: ChangeSource, span: Parameters<ChangeSource['keys']>[1]) {
  const rows = await database.rows(source.keys(DUCKDB, span));
  return rows.map((row) => row.map(String).join('/')).sort();
}

it('takes the bound first, then reads from there on: ties and lookback again, up to the lag', async () => {
  const { database, seen } = await sourceOn(ORDERS, WATERMARK, {
    incremental: { lag: '10 minutes', lookback: '1 minute' },
  });
  const source = await seen();
  await database.run(`insert into orders values (1, '2026-11-18 09:00:00.123456Z'), (2, '2026-11-18 08:00:00Z')`);
  const first = await spanFrom(database, source, null);
  expect(first).toEqual({
    span: { source: 'orders', from: null, to: '2026-11-18T08:50:00.123457Z' },
    asOf: '2026-11-18T08:50:00.123457Z',
    warnings: [],
  });
  // Late by a minute and by more, one at the end of the span, one within the lag, one without a user.
  await database.run(`insert into orders values (3, '2026-11-18 08:49:00.123456Z'), (4, '2026-11-18 08:49:00.123455Z'),
    (5, '2026-11-18 09:50:00Z'), (6, '2026-11-18 10:00:00Z'), (6, '2026-11-18 08:49:30Z'), (null, '2026-11-18 09:00:00Z')`);
  const second = await spanFrom(database, source, first.span.to);
  expect(second.span).toEqual({ source: 'orders', from: first.span.to, to: '2026-11-18T09:50:00.000001Z' });
  expect(await keysOf(database, source, second.span)).toEqual(['1', '3', '5', '6']);
  // Nothing new is a span too: a row with the same watermark is still found.
  const third = await spanFrom(database, source, second.span.to);
  expect(third.span).toEqual({ source: 'orders', from: second.span.to, to: second.span.to });
  await database.run(`insert into orders values (7, '2026-11-18 09:50:00Z')`);
  expect(await keysOf(database, source, third.span)).toEqual(['5', '7']);
});

it('ends at a cap, and the next span begins there', async () => {
  const { database, seen } = await sourceOn(ORDERS, WATERMARK, { incremental: { lookback: '0 seconds' } });
  const source = await seen();
  await database.run(
    `insert into orders values (1, '2026-11-17 23:59:59.999999Z'), (2, '2026-11-18 00:00:00Z'), (3, '2026-11-18 01:00:00Z')`,
  );
  const cut = await spanFrom(database, source, '2026-11-17T23:00:00.000000Z', { cap: '2026-11-18T00:00:00.000Z' });
  expect(cut.span.to).toBe('2026-11-18T00:00:00.000000Z');
  expect(await keysOf(database, source, cut.span)).toEqual(['1']);
  const rest = await spanFrom(database, source, cut.span.to, { cap: '2026-11-19T00:00:00.000Z' });
  expect(rest.asOf).toBe('2026-11-18T01:00:00.000001Z');
  expect(await keysOf(database, source, rest.span)).toEqual(['1', '2', '3']);
  // Neither a cap nor a greater lag moves the position back.
  const back = await spanFrom(database, source, rest.span.to, { cap: '2026-11-18T00:00:00.000Z' });
  expect(back.span.to).toBe(rest.span.to);
  expect(asOfOf([cut, rest, { ...cut, asOf: undefined }])).toBe(rest.asOf);
  expect(asOfOf([{ ...cut, asOf: undefined }])).toBeUndefined();
});

it('finds every key of random writes with ties, late rows within lookback, and a lag', async () => {
  const { database, seen } = await sourceOn('create table orders (user_id bigint, n bigint, loaded timestamptz)', WATERMARK, {
    incremental: { lookback: '2 seconds', lag: '1 second' },
  });
  const source = await seen();
  const start = parseMicroseconds('2026-11-18T00:00:00Z') ?? 0n;
  // Steps of half a second up, or to two seconds back from the greatest watermark.
  const write = fc.record({ user: fc.nat({ max: 9 }), step: fc.integer({ min: -4, max: 3 }), slice: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 25 }), async (writes) => {
      await database.run('delete from orders');
      let [maximum, position]: [bigint, string | null] = [start, null];
      let unread: { at: bigint; user: string }[] = [];
      const slice = async () => {
        const { span } = await spanFrom(database, source, position);
        const keys = position === null ? undefined : await keysOf(database, source, span);
        const end = parseMicroseconds(span.to) ?? 0n;
        for (const { at, user } of unread) if (at < end && keys !== undefined) expect(keys).toContain(user);
        unread = unread.filter(({ at }) => at >= end);
        position = span.to;
      };
      for (const { user, step, slice: now } of writes) {
        const at = maximum + BigInt(step) * 500_000n;
        maximum = [maximum, at].sort((a, b) => Number(a - b))[1] ?? at;
        await database.run(`insert into orders values (${user}, 0, '${formatMicroseconds(at)}')`);
        unread.push({ at, user: String(user) });
        if (now) await slice();
      }
      // A last row, after which nothing is within the lag.
      await database.run(`insert into orders values (0, 0, '${formatMicroseconds(maximum + 1_000_000n)}')`);
      await slice();
      expect(unread).toEqual([]);
    }),
    { seed: 16, numRuns: 60 },
  );
});

area('a watermark without a zone', () => {
  const LOCAL = { table: 'orders', watermark: 'loaded', time_zone: 'Europe/Berlin' };

  it('is read in its zone', async () => {
    const { database, seen } = await sourceOn('create table orders (user_id bigint, loaded timestamp)', LOCAL, {
      incremental: { lookback: '0 seconds' },
    });
    const source = await seen();
    await database.run(`insert into orders values (1, '2026-11-18 09:00:00'), (2, '2026-11-18 10:00:00')`);
    const { span } = await spanFrom(database, source, '2026-11-18T08:30:00.000000Z');
    expect(span.to).toBe('2026-11-18T09:00:00.000001Z');
    expect(await keysOf(database, source, span)).toEqual(['2']);
  });

  it('loses no row where the clocks go back, where an hour exists twice', async () => {
    const { database, seen } = await sourceOn('create table orders (user_id bigint, loaded timestamp)', LOCAL, {
      incremental: { lookback: '0 seconds' },
    });
    const source = await seen();
    // In the order of writing; 02:50 was before the change of 03:00 to 02:00, 02:10 to 02:40 after it.
    const walls = ['01:30', '02:50', '02:10', '02:40', '03:05'];
    let position: string | null = null;
    const seenKeys = new Set<string>();
    for (const [i, wall] of walls.entries()) {
      await database.run(`insert into orders values (${i}, '2026-10-25 ${wall}:00')`);
      const { span } = await spanFrom(database, source, position);
      if (position !== null) for (const key of await keysOf(database, source, span)) seenKeys.add(key);
      position = span.to;
    }
    expect([...seenKeys].sort()).toEqual(['0', '1', '2', '3', '4']);
    expect(position).toBe('2026-10-25T02:05:00.000001Z');
    // A time that the clocks skip.
    await database.run(`delete from orders; insert into orders values (9, '2026-03-29 02:30:00')`);
    expect((await spanFrom(database, source, null)).span.to).toBe('2026-03-29T01:30:00.000001Z');
  });

  it('of dates ends with its day, which is always read as a whole', async () => {
    const { database, seen } = await sourceOn('create table orders (user_id bigint, loaded date)', LOCAL, {
      incremental: { lookback: '0 seconds' },
    });
    const source = await seen();
    await database.run(`insert into orders values (1, '2026-11-17'), (2, '2026-11-18')`);
    const { span } = await spanFrom(database, source, null);
    expect(span.to).toBe('2026-11-18T23:00:00.000000Z');
    await database.run(`insert into orders values (3, '2026-11-18')`);
    const again = await spanFrom(database, source, span.to);
    expect(again.span.to).toBe(span.to);
    expect(await keysOf(database, source, again.span)).toEqual(['2', '3']);
    // A cap within a day leaves its rows to the next span as well.
    const cut = await spanFrom(database, source, '2026-11-17T23:00:00.000000Z', { cap: '2026-11-18T12:00:00.000Z' });
    expect(await keysOf(database, source, cut.span)).toEqual(['1', '2', '3']);
    expect(await keysOf(database, source, { ...span, from: cut.span.to })).toEqual(['2', '3']);
  });
});

it('starts from an empty table', async () => {
  const { database, seen } = await sourceOn(ORDERS, WATERMARK);
  const source = await seen();
  const empty = await spanFrom(database, source, null);
  expect(empty).toMatchObject({ span: { to: '0001-01-01T00:00:00.000000Z' }, asOf: undefined });
  expect(await keysOf(database, source, (await spanFrom(database, source, empty.span.to)).span)).toEqual([]);
  await database.run(`insert into orders values (1, '1997-01-01 00:00:00Z')`);
  expect(await keysOf(database, source, (await spanFrom(database, source, empty.span.to)).span)).toEqual(['1']);
});

it('refuses watermarks that are null, gone back, or in the future of the warehouse', async () => {
  const { database, seen } = await sourceOn(ORDERS, WATERMARK);
  const source = await seen();
  const from = '2026-11-18T09:00:00.000001Z';
  const refusedWith = (rows: string, source: ChangeSource, position: string | null = from) =>
    refusal(async () => {
      await database.run(`delete from orders; insert into orders values ${rows}`);
      await spanFrom(database, source, position);
    });
  const shown = [
    await refusedWith(`(1, '2026-11-18 09:00:00Z'), (2, null)`, source),
    await refusedWith(`(1, '2026-11-18 08:59:59Z')`, source),
    await refusedWith(`(1, '2026-11-01 00:00:00Z')`, source),
  ];
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: 1 row has no watermark orders.loaded: a slice cannot tell whether they are new
    hint: fill the column, or set incremental.reconcile: day, which compares all users once a day
    exit code 65

    error: the watermark orders.loaded was read up to 2026-11-18T09:00:00.000001Z, but now ends at 2026-11-18 08:59:59.000000
      the table was replaced or truncated, or its newest rows were deleted
    hint: score all users again with \`score-batch --slice --snapshot\`
    exit code 65

    error: the watermark orders.loaded was read up to 2026-11-18T09:00:00.000001Z, but now has no rows
      the table was replaced or truncated, or its newest rows were deleted
    hint: score all users again with \`score-batch --slice --snapshot\`
    exit code 65"
  `);

  expect(await refusedWith(`(1, 'infinity')`, source, null)).toMatch(
    /ends at infinity, which is later than the warehouse.*exit code 65/s,
  );

  const reconciled = await sourceOn(ORDERS, WATERMARK, { incremental: { reconcile: 'day' } });
  await reconciled.database.run(`insert into orders values (1, '2026-11-18 09:00:00Z'), (2, null)`);
  const { warnings } = await spanFrom(reconciled.database, await reconciled.seen(), null);
  expect(warnings).toEqual(['1 row has no watermark orders.loaded: only reconcile: day finds such changes']);
});

it('judges the future by the clock of the warehouse: the one of this process may be an hour off', async () => {
  const { database, seen } = await sourceOn('create table orders (user_id bigint, loaded timestamp)', WATERMARK);
  const source = await seen();
  // The warehouse's clock, as its answer has it, is an hour ahead of this process.
  const row = (maximum: string) => ['0', maximum, '2027-03-01 10:00:00.000000'];
  expect(source.span(row('2027-03-01 10:05:00.000000'), null).asOf).toBe('2027-03-01T10:05:00.000001Z');
  expect(await refusal(() => source.span(row('2027-03-01 10:05:00.000001'), null))).toMatchInlineSnapshot(`
    "error: the watermark orders.loaded ends at 2027-03-01 10:05:00.000001 in UTC, which is later than the warehouse's clock, 2027-03-01 10:00:00.000000 UTC
    hint: if the watermark is in local time, set its zone with time_zone: in incremental.changes; otherwise correct these rows
    exit code 65"
  `);
  // It asks the warehouse.
  const [, , clock] = await boundsOf(database, source, null);
  expect(Math.abs(Date.parse(`${clock}Z`) - Date.now())).toBeLessThan(60_000);
});

it('refuses a table that lacks a column or has another kind of it', async () => {
  const { seen } = await sourceOn(
    'create table orders (customer_id bigint, user_id varchar, loaded timestamptz, n bigint)',
    WATERMARK,
  );
  const other = (table: string, change: object) => sourceOn(table, { table: 'orders', ...change });
  const shown = await Promise.all(
    [
      seen,
      (await other('create table orders (customer_id bigint, loaded timestamptz)', { watermark: 'loaded' })).seen,
      (await other('create table orders (user_id bigint, loaded_at timestamptz)', { watermark: 'load_at' })).seen,
      (await other('create table orders (user_id bigint, loaded varchar)', { watermark: 'loaded' })).seen,
      (await other('create table orders (user_id bigint, loaded timestamptz)', { watermark: 'loaded', time_zone: 'UTC' })).seen,
    ].map(refusal),
  );
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: orders.user_id is VARCHAR, but the key user_id of the query is BIGINT
    hint: cast the column in a view, and name the view in incremental.changes
    exit code 78

    error: the change source orders has no column user_id
      its columns: customer_id, loaded
    hint: name the right column with key: in incremental.changes
    exit code 78

    error: the change source orders has no column load_at
      its columns: user_id, loaded_at
    hint: name the right column with watermark: in incremental.changes; did you mean loaded_at?
    exit code 78

    error: the watermark orders.loaded is VARCHAR: it must be a timestamp or a date
    hint: name another column, or convert it in a view and name the view in incremental.changes
    exit code 78

    error: the watermark orders.loaded is TIMESTAMP WITH TIME ZONE, which has a zone of its own: time_zone has no effect
    hint: remove time_zone from the change source
    exit code 78"
  `);
});

it('knows names that need quotes, in the order of source.key', async () => {
  const key = [USER, { name: 'Shop', type: 'string', native: 'VARCHAR' } as const];
  const { database, seen } = await sourceOn(
    `create schema "my data"; create table "my data"."or""ders" ("group" varchar, "the user" bigint, "written at" timestamptz)`,
    { table: '"my data"."or""ders"', watermark: 'written at', key: ['the user', 'group'] },
    { key },
  );
  await database.run(`insert into "my data"."or""ders" values ('a', 1, '2026-11-18 09:00:00Z')`);
  const source = await seen();
  const span = { ...(await spanFrom(database, source, null)).span, from: '2026-11-18T08:00:00.000000Z' };
  expect(await keysOf(database, source, span)).toEqual(['1/a']);
  expect((await database.rows(`describe ${source.keys(DUCKDB, span)}`)).map(([name]) => name)).toEqual(['user_id', 'Shop']);
});
