import { expect } from 'vitest';
import type { Query } from '../../../src/domain/query.ts';
import { stagedKey } from '../../../src/domain/staged-columns.ts';
import { findDuplicates } from '../../../src/score/chunk-table.ts';
import type { SelectText } from '../../../src/warehouse/reader.ts';
import { canCount } from '../../../src/warehouse/source-capabilities.ts';
import { freeze, frozenIds, named, plain, USERS, withWorker } from './frozen.ts';
import { type Area, openSubject, withUsers } from './subject.ts';

/** What every warehouse promises as a source of rows. */
export const source: Area = (it, makeSubject) => {
  it('describes a query without running it', async () => {
    const { warehouse, execute, kinds, integerType, stringType } = await openSubject(makeSubject);
    const list = kinds.map(({ column, expressions }) => `${expressions[0]} as ${column.name}`);
    const schema = await warehouse.source.describe(plain(`select ${list.join(', ')}`));
    expect(schema).toEqual(kinds.map(({ column }) => column));
    await execute(`create table words (word ${stringType})`);
    await execute(`insert into words values ('not a number')`);
    const failing = plain(`select cast(word as ${integerType}) as number from words`);
    expect((await warehouse.source.describe(failing)).map(({ type }) => type)).toEqual(['integer']);
    await expect(freeze(warehouse, 'run', failing, { key: ['number'] })).rejects.toMatchObject({ kind: 'configuration' });
  });

  it('binds a window to a query and tells whether it is ready', async () => {
    const { warehouse, execute } = await withUsers(makeSubject, 10);
    const ready = (day: string): Query => ({
      name: 'ready',
      texts: ['select count(*) = 10 and ', " > date '2026-11-15' from users -- a comment"],
      parameters: [{ name: 'window_start_date', type: 'date', value: day }],
    });
    expect(await warehouse.source.ready(ready('2026-11-16'))).toBe(true);
    expect(await warehouse.source.ready(ready('2026-11-15'))).toBe(false);
    await execute('delete from users where user_id = 3');
    expect(await warehouse.source.ready(ready('2026-11-16'))).toBe(false);
    await expect(warehouse.source.ready(plain('select 1 as a, 2 as b'))).rejects.toMatchObject({ kind: 'configuration' });
    if (canCount(warehouse.source)) expect(await warehouse.source.count(USERS)).toBe(9);
  });

  it('runs a SELECT over the rows of a query, and over frozen rows', async () => {
    const { warehouse, execute } = await withUsers(makeSubject, 1000);
    const frozen = await freeze(warehouse, 'run', USERS, { chunkRows: 100 });
    await execute('delete from users where user_id = 999');
    const [id] = named(frozen.columns, ['user_id']);
    const statement: SelectText = (dialect, relation) =>
      `SELECT ${dialect.text('COUNT(*)', { type: 'integer' })}, ${dialect.text(`MAX(${dialect.identifier(id?.name ?? '')})`, { type: 'integer' })} FROM ${relation} found`;
    expect(await warehouse.source.select(USERS, statement)).toEqual([['999', '998']]);
    expect(await warehouse.source.selectFrozen(frozen, statement)).toEqual([['1000', '999']]);
    await expect(warehouse.source.select(plain('select nothing from nowhere'), statement)).rejects.toMatchObject({
      kind: 'configuration',
    });
  });

  for (const how of ['a row more', 'another value'] as const)
    it(`never takes a frozen table with ${how} for what was frozen`, async () => {
      const { warehouse, alterFrozen } = await withUsers(makeSubject, 300);
      const frozen = await freeze(warehouse, 'run', USERS);
      const key = named(frozen.columns, ['user_id']);
      await warehouse.source.verify(frozen, key);
      await alterFrozen(how);
      await expect(warehouse.source.verify(frozen, key)).rejects.toMatchObject({ kind: 'refused' });
    });

  it('has one identity, for every process', async () => {
    const { warehouse, open } = await withUsers(makeSubject, 1);
    expect(await open().source.identity()).toBe(await warehouse.source.identity());
  });

  it('freezes a window once: what is written to the source afterwards changes nothing', async () => {
    const { warehouse, execute } = await withUsers(makeSubject, 1000);
    expect(await warehouse.source.frozen('run')).toBeUndefined();
    const frozen = await freeze(warehouse, 'run', USERS, { chunkRows: 100 });
    expect(frozen.rows).toBe(1000);
    expect(frozen.chunks.map(({ chunk }) => chunk)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(frozen.chunks.reduce((sum, { rows }) => sum + rows, 0)).toBe(1000);
    const before = await frozenIds(warehouse, frozen);
    expect(before.map(({ length }) => length)).toEqual(frozen.chunks.map(({ rows }) => rows));
    expect(before.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));

    await execute('delete from users where user_id < 500');
    await execute(`insert into users values (5000, 'US', 1, 1)`);
    expect(await freeze(warehouse, 'run', USERS, { chunkRows: 100 })).toEqual(frozen);
    expect(await warehouse.source.frozen('run')).toEqual(frozen);
    expect(await frozenIds(warehouse, frozen)).toEqual(before);

    const other = await freeze(warehouse, 'other', USERS, { chunkRows: 100 });
    expect(other.rows).toBe(501);
    await warehouse.source.dropFrozen('run');
    await warehouse.source.dropFrozen('run');
    expect(await warehouse.source.frozen('run')).toBeUndefined();
    expect(await warehouse.source.frozen('other')).toEqual(other);
  });

  it('puts a key into the same chunk whatever the other rows are', async () => {
    const { warehouse, execute } = await withUsers(makeSubject, 200);
    const first = await freeze(warehouse, 'first', USERS, { chunkRows: 100 });
    await execute('delete from users where user_id = 0');
    const second = await freeze(warehouse, 'second', USERS, { chunkRows: 100 });
    const [a, b] = [await frozenIds(warehouse, first), await frozenIds(warehouse, second)];
    expect(b).toEqual(a.map((ids) => ids.filter((id) => id !== 0)));
    const differing = first.chunks.filter(({ checksum }, i) => checksum !== second.chunks[i]?.checksum);
    expect(differing.map(({ chunk }) => chunk)).toEqual([a.findIndex((ids) => ids.includes(0))]);
  });

  it('finds every row of a key that occurs more than once, whatever chunks its rows are in', async () => {
    const { warehouse, execute } = await withUsers(makeSubject, 300);
    await execute(`insert into users select user_id, country, a, b from users where user_id = 7 or user_id = 299`);
    await execute(`insert into users select null, country, a, b from users where user_id < 2`);
    const frozen = await freeze(warehouse, 'run', USERS, { chunkRows: 50 });
    expect(frozen.rows).toBe(304);
    const found: number[] = [];
    await withWorker(async (database) => {
      for (const { chunk } of frozen.chunks) {
        await warehouse.source.loadChunk(frozen, chunk, database);
        const count = await findDuplicates(database, named(frozen.columns, ['user_id']), frozen.duplicates);
        if (count === 0) continue;
        const rows = await database.rows(`select user_id from chunk join duplicates on user_id = ${stagedKey(0)}`);
        found.push(...rows.map(([id]) => Number(id)));
      }
    });
    expect(found.sort((a, b) => a - b)).toEqual([7, 7, 299, 299]);
  });

  it('says what is wrong with a query, and never runs it by half', async () => {
    const { warehouse, execute } = await withUsers(makeSubject, 10);
    const { source } = warehouse;
    for (const sql of ['select user_id from nobody', 'select nothing from users', 'select user_id frm users x y']) {
      await expect(source.describe(plain(sql))).rejects.toMatchObject({
        kind: 'configuration',
        message: expect.stringContaining('jobs/query.sql'),
      });
    }
    const columns = await source.describe(USERS);
    await execute('alter table users drop column b');
    const options = { runId: 'run', key: named(columns, ['user_id']), columns, chunkRows: 100, hash: 'native' as const };
    await expect(source.freeze(USERS, options)).rejects.toMatchObject({ kind: 'configuration' });
    expect(await source.frozen('run')).toBeUndefined();
  });

  it('freezes from a view as from a table, with nulls in keys and values', async () => {
    const { warehouse, execute } = await withUsers(makeSubject, 10);
    await execute('create view visible as select nullif(user_id, 3) as user_id, country, a, b from users where a < 8');
    const frozen = await freeze(warehouse, 'run', plain('select * from visible'));
    expect(frozen.rows).toBe(8);
    expect((await frozenIds(warehouse, frozen)).flat().sort()).toEqual([0, 0, 1, 2, 4, 5, 6, 7]);
  });

  it('stops where it is told to, with nothing frozen', async () => {
    const interruption = new AbortController();
    const subject = await withUsers(makeSubject, 100_000);
    const warehouse = subject.open({ signal: interruption.signal });
    const reason = new Error('told to');
    const endless = plain('select x.user_id from users x, users y where mod(x.user_id + y.user_id, 1000003) = 1000002');
    const frozen = freeze(warehouse, 'run', endless);
    const stop = setTimeout(() => interruption.abort(reason), 500);
    await expect(frozen).rejects.toBe(reason);
    clearTimeout(stop);
    expect(await subject.warehouse.source.frozen('run')).toBeUndefined();
  });
};
