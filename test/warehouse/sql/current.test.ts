import { expect, it } from 'vitest';
import { boundaryLayout, currentLayout } from '../../../src/domain/current-table.ts';
import type { LedgerEntry } from '../../../src/domain/ledger.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { tablesOf } from '../../../src/domain/tables.ts';
import type { Dialect } from '../../../src/warehouse/dialect.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import type { PublicationSpec } from '../../../src/warehouse/publication-spec.ts';
import { SNOWFLAKE } from '../../../src/warehouse/snowflake/dialect.ts';
import { changeCurrent, currentFaults } from '../../../src/warehouse/sql/current-change.ts';
import { publicationTables } from '../../../src/warehouse/sql/publishing.ts';
import { SLICE_EFFECTS } from '../../crash/slice-effects.ts';

// What the statements do is in test/warehouse/conformance/current.ts.

const KEY: readonly Column[] = [
  { name: 'newer_0', type: 'integer', native: 'BIGINT' },
  { name: 'shop', type: 'string', native: 'VARCHAR' },
];
const COLUMNS = { key: KEY, keep: [], scoreColumn: 'score' };
const FENCE = '(SELECT taken FROM locked) = 7';

async function statementsOf(dialect: Dialect, gone: number) {
  const scores = ['marketing', 'current'];
  const names = { scores, quarantine: ['marketing', 'current_quarantine'], ledger: ['marketing', 'score_batch_ledger'] };
  const none = { report: undefined, summary: undefined };
  const entry: LedgerEntry = {
    ...{ recordedAt: '2026-11-23T08:00:00.000Z', runId: 'run', job: 'churn.incremental', state: 'published', publication: 2 },
    window: { label: 'current', start: '2026-01-01T00:00:00.000Z', end: '9999-12-31T00:00:00.000Z', kind: 'ad hoc' },
    ...{ fingerprint: 'f', model: { name: 'linear', version: '1', digest: 'd' }, host: 'here', details: {} },
  };
  const spec: PublicationSpec = {
    ...{ entry, supersedes: undefined, overlaps: [], sharedTables: false, pinned: [], key: KEY, keep: [], segments: [] },
    tables: { ...tablesOf({ ...names, ...none }, COLUMNS), scores: currentLayout(scores, COLUMNS) },
    bands: { by: 'threshold', bounds: [], rest: 'low' },
    ...{ reported: false, scored: 0, history: 0 },
    current: {
      whole: false,
      gone: Array.from({ length: gone }, (_, i) => [String(i), 'here']),
      asOf: '2026-11-23T08:00:00.123456Z',
      boundary: { table: boundaryLayout(scores, COLUMNS), end: '2026-11-23T05:00:00.000Z' },
    },
  };
  const tables = await publicationTables(
    spec,
    (layout) => layout,
    async () => false,
  );
  const rows = { staged: 'staged', stagesText: true };
  return {
    changes: changeCurrent(dialect, tables, spec, { ...rows, fence: FENCE }),
    faults: currentFaults(dialect, tables, spec, rows),
  };
}

it.each([
  ['duckdb', DUCKDB, 'duckdb'],
  ['snowflake', SNOWFLAKE, 'http POST /queries'],
] as const)('has a name for each statement that %s runs, and a fence at its end', async (route, dialect, prefix) => {
  const { changes } = await statementsOf(dialect, 1);
  const told = changes.map((sql) => `${prefix} ${sql.replaceAll(/\s+/g, ' ').trim()}`);
  const names = told.map((text) => SLICE_EFFECTS[route].filter(({ pattern }) => pattern.test(text)).map(({ name }) => name));
  expect(names).toEqual(SLICE_EFFECTS[route].map(({ name }) => [name]));
  expect(changes.filter((sql) => !sql.endsWith(` AND ${FENCE}`))).toEqual([]);
});

it('names at most 1,000 keys that are gone in a statement', async () => {
  const counts = async (gone: number) => {
    const { changes, faults } = await statementsOf(DUCKDB, gone);
    const keys = (sql: string) => sql.split("'here'").length - 1;
    return [changes.map(keys).filter(Boolean), faults.map(({ count }) => keys(count)).filter(Boolean)];
  };
  expect(await counts(2001)).toEqual([
    [1000, 1000, 1],
    [1000, 1000, 1],
  ]);
  expect(await counts(0)).toEqual([[], []]);
});

it('finds replaced rows by names that no column of the job has', async () => {
  const { changes } = await statementsOf(DUCKDB, 0);
  expect(changes.find((sql) => /^DELETE FROM "marketing"."current" /.test(sql))).toMatch(
    /newer\.newer__0 = "newer_0" AND newer\.newer__1 = "shop"/,
  );
});
