import { expect, it } from 'vitest';
import { boundaryLayout, currentLayout } from '../../../src/domain/current-table.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { tablesOf } from '../../../src/domain/tables.ts';
import { type Database, openDatabase } from '../../../src/duckdb/database.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import { createTable } from '../../../src/warehouse/duckdb/tables.ts';
import type { PublicationSpec } from '../../../src/warehouse/publication-spec.ts';
import { changeCurrent, currentFaults } from '../../../src/warehouse/sql/current-change.ts';
import { type PublicationTables, publicationTables } from '../../../src/warehouse/sql/publishing.ts';
import { temporaryFolder } from '../../support/project.ts';
import { entryOf } from '../conformance/run.ts';

// A statement whose answer was lost can have run twice or not at all. What is counted after it must tell, as long as the table
// is not what it should be.

const CURRENT = ['marketing', 'current'];
const KEY: readonly Column[] = [{ name: 'user_id', type: 'integer', native: 'BIGINT' }];
const COLUMNS = { key: KEY, keep: [], scoreColumn: 'score' };
const WINDOW = {
  label: 'current',
  start: '2026-01-01T00:00:00.000Z',
  end: '9999-12-31T00:00:00.000Z',
  kind: 'ad hoc',
} as const;
const ROWS = { staged: 'staged', stagesText: false };

function specOf(publication: number, change: { whole: boolean; gone: string[][] }): PublicationSpec {
  const names = { scores: CURRENT, quarantine: ['marketing', 'rejected'], ledger: ['marketing', 'score_batch_ledger'] };
  return {
    entry: { ...entryOf(`slice${publication}`, WINDOW), publication },
    ...{ supersedes: undefined, overlaps: [], sharedTables: false, pinned: [], key: KEY, keep: [], segments: [] },
    tables: {
      ...tablesOf({ ...names, report: undefined, summary: undefined }, COLUMNS),
      scores: currentLayout(CURRENT, COLUMNS),
    },
    bands: { by: 'threshold', bounds: [{ name: 'high', bound: 500_000 }], rest: 'low' },
    ...{ reported: false, scored: 0, history: 0 },
    current: {
      ...change,
      asOf: `2026-11-23T0${publication}:00:00.000000Z`,
      boundary: { table: boundaryLayout(CURRENT, COLUMNS), end: '2026-11-23T05:00:00.000Z' },
    },
  };
}

/** @param rows `(key, score, reason, features)` */
async function stage(database: Database, rows: string): Promise<void> {
  await database.run(`create or replace temp table staged as
    select key_0, cast(score as decimal(7, 6)) as score, cast(reason as varchar) as reason, 'a' as column_name, 'b' as value, skip_key,
      timestamptz '2026-11-23 00:00:00+00' as scored_at
    from (values ${rows}) given(key_0, score, reason, skip_key)`);
}

async function publish(database: Database, spec: PublicationSpec, change: (statements: string[]) => string[]) {
  const tables: PublicationTables = await publicationTables(
    spec,
    (layout) => layout,
    async () => true,
  );
  for (const sql of change(changeCurrent(DUCKDB, tables, spec, ROWS))) await database.run(sql);
  const faults = currentFaults(DUCKDB, tables, spec, ROWS);
  const [counts = []] = await database.rows(`select ${faults.map(({ count }) => count).join(', ')}`);
  return faults.flatMap(({ what }, i) => (Number(counts[i]) === 0 ? [] : [what]));
}

it.each([
  ['users that are gone', { whole: false, gone: [['3'], ['9']] }],
  ['all users', { whole: true, gone: [] }],
] as const)('tells of every statement that ran twice or not at all, of a slice of %s', async (_, change) => {
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
  const [first, second] = [
    specOf(1, { whole: true, gone: [] }),
    specOf(2, { ...change, gone: change.gone.map((key) => [...key]) }),
  ];
  const { scores, quarantine, ledger } = first.tables;
  const boundary = boundaryLayout(CURRENT, COLUMNS);
  for (const layout of [scores, quarantine, ledger, boundary]) await createTable(database, layout);
  await stage(database, `(1, 0.25, null, 11), (2, 0.75, null, 12), (3, null, 'too odd', null)`);
  expect(await publish(database, first, (statements) => statements)).toEqual([]);
  await stage(database, `(1, 0.3, null, 21), (2, null, 'too odd', null), (4, 0.5, null, 14), (null, null, 'null key', null)`);

  const attempt = async (how: (statements: string[]) => string[]) => {
    await database.run('begin');
    const faults = await publish(database, second, how);
    const tables: string[] = [];
    for (const table of ['current', 'current_boundary', 'rejected'])
      tables.push(String(await database.rows(`from marketing.${table} order by all`)));
    await database.run('rollback');
    return { faults, tables: JSON.stringify(tables) };
  };
  const clean = await attempt((statements) => statements);
  expect(clean.faults).toEqual([]);
  // The rows that go to the quarantine are counted with those of any run.
  const isJudged = /^((INSERT INTO|DELETE FROM) "marketing"."current(_boundary)?"|DELETE FROM "marketing"."rejected") /;
  const count = 7;
  let tested = 0;
  for (let i = 0; i < count; i += 1) {
    let touches = false;
    const missing = await attempt((statements) => {
      expect(statements).toHaveLength(count);
      touches = isJudged.test(statements[i] ?? '');
      return statements.toSpliced(i, 1);
    });
    if (!touches) continue;
    tested += 1;
    expect(missing.faults, `without statement ${i}`).not.toEqual([]);
    const twice = await attempt((statements) => statements.toSpliced(i, 0, statements[i] ?? ''));
    if (twice.faults.length === 0) expect(twice.tables, `statement ${i} twice`).toBe(clean.tables);
  }
  expect(tested).toBe(6);
});
