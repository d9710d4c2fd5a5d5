import { describe, expect, it } from 'vitest';
import { type Column, findColumn } from '../../../src/domain/schema.ts';
import { tablesOf } from '../../../src/domain/tables.ts';
import { openDatabase } from '../../../src/duckdb/database.ts';
import { identifier, located, nameSuffix } from '../../../src/warehouse/snowflake/names.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/project.ts';
import { makeSubject, mayMake } from './subject.ts';

it.each([
  ['churn_scores', '"CHURN_SCORES"'],
  ['Customer_ID', '"CUSTOMER_ID"'],
  ['_a$1', '"_A$1"'],
  ['1a', '"1a"'],
  ['two words', '"two words"'],
  ['a"b', '"a""b"'],
  ['größe', '"größe"'],
])('writes the name %s as %s', (name, sql) => {
  expect(identifier(name)).toBe(sql);
});

it('fills in database and schema', () => {
  const target = { database: 'db', schema: 'public' };
  expect(located(['t'], target)).toEqual(['db', 'public', 't']);
  expect(located(['s', 't'], target)).toEqual(['db', 's', 't']);
  expect(located(['d', 's', 't'], target)).toEqual(['d', 's', 't']);
});

it('makes a part of a name of any id', () => {
  expect(nameSuffix('1997-W11-0123456789ab')).toBe('1997_W11_0123456789ab');
  expect(nameSuffix("run'; --")).toMatch(/^[0-9a-f]{32}$/);
  expect(nameSuffix('run"')).not.toBe(nameSuffix("run'"));
});

// Without an emulator (the last line of the output says why) or a real one that may be written to; see subject.ts.
describe.skipIf(!mayMake())('on Snowflake', () => {
  const columns = async (warehouse: Warehouse, sql: string, names: readonly string[]): Promise<Column[]> => {
    const schema = await warehouse.source.describe({ name: 'query', texts: [sql], parameters: [] });
    return names.map((name) => ({ ...(findColumn(schema, name) as Column), name }));
  };

  it.each([
    ['unquoted', 'select 7 as CUSTOMER_ID, 1 as other', '7'],
    ['quoted in lower case', 'select 8 as "customer_id", 1 as other', '8'],
    ['quoted in mixed case', 'select 9 as "Customer_Id", 1 as other', '9'],
  ])('takes a column of the query that is %s for the job’s customer_id', async (_, sql, value) => {
    const subject = await makeSubject();
    const warehouse = subject.open();
    const key = await columns(warehouse, sql, ['customer_id']);
    const query = { name: 'query', texts: [sql], parameters: [] };
    const frozen = await warehouse.source.freeze(query, { runId: 'run', key, columns: key, chunkRows: 10, hash: 'md5' });
    await using database = await openDatabase(':memory:', { memory: 1e9, temporary: await temporaryFolder() });
    await warehouse.source.loadChunk(frozen, 0, database);
    expect((await database.rows('select * from chunk')).flat().map(String)).toEqual([value]);
    // Users find it in scratch without quotes.
    expect(await subject.rows('select cast(customer_id as varchar) as id from scratch.score_batch_frozen_run')).toEqual([
      { id: value },
    ]);
    await warehouse.close();
  });

  it('lets marketing find its tables without quotes', async () => {
    const subject = await makeSubject();
    const warehouse = subject.open();
    const key: Column[] = [{ name: 'customer_id', type: 'string', native: 'VARCHAR' }];
    const names = {
      scores: ['marketing', 'churn_scores'],
      quarantine: ['marketing', 'churn_scores_quarantine'],
      ledger: ['marketing', 'score_batch_ledger'],
      report: undefined,
      summary: undefined,
    };
    const tables = tablesOf(names, { key, keep: [], scoreColumn: 'churn_propensity' });
    await warehouse.sink.publish({
      entry: {
        recordedAt: '2026-11-23T08:00:00.000Z',
        runId: 'run',
        job: 'job',
        window: { label: '2026-W47', start: '2026-11-16T05:00:00.000Z', end: '2026-11-23T05:00:00.000Z', kind: 'week' },
        state: 'published',
        fingerprint: 'f',
        model: { name: 'm', version: '1', digest: 'd' },
        host: 'here',
        details: {},
        rows: { frozen: 0, scored: 0, quarantined: 0 },
      },
      supersedes: undefined,
      history: 1,
      overlaps: [],
      sharedTables: false,
      pinned: [],
      tables,
      key,
      keep: [],
      bands: { by: 'share', bounds: [], rest: 'low' },
      segments: [],
      reported: false,
      scored: 0,
    });
    expect(await subject.rows('select customer_id, churn_propensity from Marketing.Churn_Scores')).toEqual([]);
    expect(await subject.rows('select run_id from MARKETING.SCORE_BATCH_LEDGER')).toEqual([{ run_id: 'run' }]);
    expect(await warehouse.sink.differences(tables)).toEqual([]);
    await warehouse.close();
  });
});
