import { describe as area, expect, it } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import type { Database } from '../../../src/duckdb/database.ts';
import type { ChangeSource, SpanLimits } from '../../../src/slice/changes/source.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import { boundsOf, refusal, sourceOn, USER } from './job.ts';

const EVENTS = { table: 'events', events: 'debezium', key: ['user id'] };
const TABLE = 'create table events (op varchar, before varchar, after varchar, lsn bigint, ts_ms bigint)';
const START = Date.parse('2026-11-18T09:00:00Z');

const image = (user: unknown) => (user === null ? 'null' : `'${JSON.stringify({ id: 7, 'user id': user })}'`);

async function land(database: Database, ...events: [op: string | null, before: unknown, after: unknown, lsn: number][]) {
  for (const [op, before, after, lsn] of events)
    await database.run(
      `insert into events values (${op === null ? 'null' : `'${op}'`}, ${image(before)}, ${image(after)}, ${lsn}, ${START + lsn})`,
    );
}

async function spanFrom(database: Database, source: ChangeSource, from: string | null, limits?: SpanLimits) {
  return source.span(await boundsOf(database, source, from), from, limits);
}

async function keysOf(database: Database, source: ChangeSource, span: Parameters<ChangeSource['keys']>[1]) {
  return (await database.rows(source.keys(DUCKDB, span))).map((row) => row.map(String).join('/')).sort();
}

it('gives the keys of both images, skips tombstones, and reads the last position again', async () => {
  const { database, seen } = await sourceOn(TABLE, EVENTS);
  const source = await seen();
  await land(database, ['r', null, 1, 10], ['r', null, 2, 10]);
  const first = await spanFrom(database, source, null);
  expect(first).toEqual({
    span: { source: 'events', from: null, to: '11' },
    asOf: '2026-11-18T09:00:00.011000Z',
    warnings: [],
  });
  await land(database, ['r', null, 3, 10], ['u', 4, 5, 11], ['d', 6, null, 12], [null, null, null, 12], ['c', null, 8, 2e6]);
  const second = await spanFrom(database, source, first.span.to);
  expect(second.span).toEqual({ source: 'events', from: '11', to: '2000001' });
  expect(await keysOf(database, source, second.span)).toEqual(['1', '2', '3', '4', '5', '6', '8']);
  const none = await spanFrom(database, source, second.span.to);
  expect(none.span.to).toBe(second.span.to);
  expect(await keysOf(database, source, none.span)).toEqual(['8']);
});

it('loses no event where a limit cuts the span', async () => {
  const { database, seen } = await sourceOn(TABLE, EVENTS);
  const source = await seen();
  await land(database, ['c', null, 1, 10], ['c', null, 2, 20]);
  const cap = new Date(START + 15).toISOString();
  const cut = await spanFrom(database, source, '5', { cap });
  expect(cut).toMatchObject({ span: { from: '5', to: '5' }, asOf: '2026-11-18T09:00:00.015000Z' });
  expect(await keysOf(database, source, cut.span)).toEqual(['1', '2']);
  const next = await spanFrom(database, source, cut.span.to);
  expect(next.span.to).toBe('21');
  expect(await keysOf(database, source, next.span)).toEqual(['1', '2']);
  // A snapshot that is cut comes back to all that it may have missed.
  expect((await spanFrom(database, source, null, { cap })).span.to).toBe('10');
});

area('reads images', () => {
  it.each([
    ['json', 'as JSON', `'{"user id": "a", "Shop": 3}'`],
    ['struct("user id" varchar, "Shop" bigint)', 'as a struct', `{'user id': 'a', 'Shop': 3}`],
  ])('%s, %s, with keys of several columns', async (type, _, value) => {
    const key: Column[] = [
      { name: 'user_id', type: 'string', native: 'VARCHAR' },
      { name: 'shop', type: 'decimal', native: 'HUGEINT', digits: [38, 0] },
    ];
    const { database, seen } = await sourceOn(
      `create table events (op varchar, before ${type}, after ${type}, pos hugeint)`,
      { ...EVENTS, key: ['user id', 'Shop'], position: 'pos' },
      { key },
    );
    const source = await seen();
    await database.run(`insert into events values ('c', null, ${value}, 3)`);
    const { span, asOf } = await spanFrom(database, source, '2');
    expect(await keysOf(database, source, span)).toEqual(['a/3']);
    // Without ts_ms the warehouse's clock is the instant.
    expect(Math.abs(Date.parse(asOf ?? '') - Date.now())).toBeLessThan(60_000);
  });
});

it('refuses truncations, unknown events, events without key, and positions that start again', async () => {
  const refusedWith = async (...events: Parameters<typeof land>[1][]) => {
    const { database, seen } = await sourceOn(TABLE, EVENTS);
    const source = await seen();
    return await refusal(async () => {
      await land(database, ...events);
      await spanFrom(database, source, '5');
    });
  };
  const shown = [
    await refusedWith(['t', null, null, 6]),
    await refusedWith(['x', null, 1, 6]),
    await refusedWith(['d', null, null, 6], ['u', null, 2, 7]),
    await refusedWith(['c', null, 1, 3]),
    await refusal(async () => {
      const { database, seen } = await sourceOn(TABLE, EVENTS);
      await spanFrom(database, await seen(), '2026-11-18T09:00:00.000000Z');
    }),
  ];
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: the table behind the events of events was truncated, and events do not say which rows that removed
    hint: score all users again with \`score-batch --slice --snapshot\`
    exit code 65

    error: 1 event of events has an op other than c, u, d, r, t, m, or no position
    hint: land the events as Debezium writes them, then score all users again with \`score-batch --slice --snapshot\`
    exit code 65

    error: 1 event of events has no key: neither before nor after has all of its fields
    hint: name the fields with key: in incremental.changes, exactly as in the source; for deletes, set REPLICA IDENTITY FULL in the source, or incremental.reconcile: day
    exit code 65

    error: the events of events were read up to position 5, but now end at 3
      the table was replaced, or the positions of its source started over
    hint: score all users again with \`score-batch --slice --snapshot\`
    exit code 65

    error: the change source events was read up to 2026-11-18T09:00:00.000000Z, which is no longer a valid position
      it finds changes in a different way than earlier slices did
    hint: score all users again with \`score-batch --slice --snapshot\`
    exit code 65"
  `);

  const { database, seen } = await sourceOn(TABLE, EVENTS, { incremental: { reconcile: 'day' } });
  await land(database, ['d', null, null, 6], ['u', null, 2, 7]);
  expect((await spanFrom(database, await seen(), '5')).warnings).toEqual([
    '1 event of events has no key: only reconcile: day finds such changes',
    '1 event of events lacks the row before an update: if a key changed, only reconcile: day finds such changes',
  ]);
});

it('refuses columns of the wrong type', async () => {
  const on = async (columns: string, key?: Column) =>
    refusal((await sourceOn(`create table events (${columns})`, EVENTS, key && { key: [key] })).seen);
  const shown = [
    await on('op varchar, before varchar, after varchar, lsn varchar'),
    await on('op varchar, before bigint, after varchar, lsn bigint'),
    await on('op varchar, after varchar, lsn bigint'),
    await on('op varchar, before varchar, after varchar, lsn bigint', { ...USER, type: 'date', native: 'DATE' }),
  ];
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: the position events.lsn is VARCHAR: it must be a whole number
    hint: name another column with position: in incremental.changes, or convert it in a view
    exit code 78

    error: events.before is BIGINT: it must hold a row as JSON or as a struct
    hint: land the events as Debezium writes them, without ExtractNewRecordState, or use a watermark
    exit code 78

    error: the change source events has no column before
      its columns: op, after, lsn
    hint: name the right column with events: in incremental.changes
    exit code 78

    error: the key user_id is DATE, which cannot be read from the events of events
    hint: use keys that are whole numbers, texts or UUIDs; or convert the events in a view, and use a watermark
    exit code 78"
  `);
});
