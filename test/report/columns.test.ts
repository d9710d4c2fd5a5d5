import { expect, it } from 'vitest';
import type { Column } from '../../src/domain/schema.ts';
import { tablesOf } from '../../src/domain/tables.ts';
import { reportColumns } from '../../src/report/columns.ts';

const NAMES = { scores: ['s'], quarantine: ['q'], ledger: ['l'], report: undefined, summary: undefined };
const TYPES = ['integer', 'decimal', 'float', 'bool', 'string', 'date', 'datetime', 'timestamp', 'uuid'] as const;

it('has the window, the job’s own columns, the score and the ranks, but nothing of the run', () => {
  const own = TYPES.map(
    (type): Column => ({ name: `a ${type}`, type, native: type, ...(type === 'decimal' && { digits: [10, 2] as const }) }),
  );
  const { scores } = tablesOf(NAMES, { key: own.slice(0, 1), keep: own.slice(1), scoreColumn: 'churn' });
  expect(reportColumns(scores.columns).map(({ name }) => name)).toEqual([
    'window_label',
    ...own.map(({ name }) => name),
    'churn',
    'rank',
    'percentile',
    'decile',
    'band',
  ]);
  expect(reportColumns(scores.columns)[2]).toEqual({ name: 'a decimal', type: 'decimal', digits: [10, 2] });
});

it('has reasons and holdout after the band if the table has them, but no column of the job by such a name twice', () => {
  const key: Column = { name: 'reason_1', type: 'string', native: 'VARCHAR' };
  const { scores } = tablesOf(NAMES, { key: [key], keep: [], scoreColumn: 'churn' });
  const at = scores.columns.findIndex(({ name }) => name === 'band') + 1;
  const more = [
    ...['reason_2', 'reason_10', 'reason_x', 'reason_0'].map((name) => ({ name, type: 'string' as const })),
    { name: 'holdout', type: 'bool' as const },
  ];
  const found = reportColumns([...scores.columns.slice(0, at), ...more, ...scores.columns.slice(at)]);
  expect(found.map(({ name }) => name).slice(-4)).toEqual(['band', 'reason_2', 'reason_10', 'holdout']);
  expect(found.filter(({ name }) => name === 'reason_1')).toHaveLength(1);
});

it('throws for a table with other columns', () => {
  expect(() => reportColumns([{ name: 'rank', type: 'integer' }])).toThrow('the scores table has no column window_label');
});
