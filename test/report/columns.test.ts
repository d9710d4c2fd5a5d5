import { expect, it } from 'vitest';
import type { Column } from '../../src/domain/schema.ts';
import { tablesOf } from '../../src/domain/tables.ts';
import { reportColumns } from '../../src/report/columns.ts';

const NAMES = { scores: ['s'], quarantine: ['q'], ledger: ['l'], report: undefined, summary: undefined };
const TYPES = ['integer', 'decimal', 'float', 'bool', 'string', 'date', 'datetime', 'timestamp', 'uuid'] as const;

it('the report has the window, the job’s own columns, the score and the place, and nothing of the run', () => {
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

it('a table of another shape is a mistake of the caller', () => {
  expect(() => reportColumns([{ name: 'rank', type: 'integer' }])).toThrow('the scores table has no column window_label');
});
