import { expect, it } from 'vitest';
import type { Column } from '../../src/domain/schema.ts';
import { RESERVED_COLUMNS, RESERVED_FOR_KEYS, type TableLayout, tablesOf } from '../../src/domain/tables.ts';

const NAMES = {
  scores: ['m', 'scores'],
  quarantine: ['m', 'scores_quarantine'],
  ledger: ['m', 'score_batch_ledger'],
  report: ['m', 'report'],
  summary: ['m', 'summary'],
  drift: ['m', 'drift'],
};
const KEY: Column[] = [{ name: 'id', type: 'integer', native: 'BIGINT' }];
const KEEP: Column[] = [{ name: 'amount', type: 'decimal', native: 'DECIMAL(10,2)', digits: [10, 2] }];

it('lists every published table, column by column', () => {
  const tables = tablesOf(NAMES, { key: KEY, keep: KEEP, scoreColumn: 'churn' });
  const shown = Object.values(tables).map(
    (table?: TableLayout) =>
      `${table?.name.join('.')}: ${table?.columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`,
  );
  expect(shown.join('\n')).toMatchInlineSnapshot(`
    "m.scores: id integer, amount decimal, churn decimal, rank integer, percentile integer, decile integer, band string, job string, window_label string, window_start timestamp, window_end timestamp, run_id string, window_kind string, model_name string, model_version string, model_digest string, scored_at timestamp
    m.scores_quarantine: id integer, reason string, column_name string, value string, job string, window_label string, window_start timestamp, window_end timestamp, run_id string
    m.score_batch_ledger: entry_number integer, recorded_at timestamp, run_id string, job string, window_label string, window_start timestamp, window_end timestamp, window_kind string, state string, publication integer, fingerprint string, model_name string, model_version string, model_digest string, rows_frozen integer, rows_scored integer, rows_quarantined integer, host string, details string
    m.report: id integer, amount decimal, churn decimal, rank integer, percentile integer, decile integer, band string, job string, window_label string, window_start timestamp, window_end timestamp, run_id string
    m.summary: segment string, segment_value string, band string, users integer, share decimal, mean_score decimal, expected_churners decimal, job string, window_label string, window_start timestamp, window_end timestamp, run_id string
    m.drift: feature string, psi decimal, null_share decimal, reference_null_share decimal, row_count integer, job string, window_label string, window_start timestamp, window_end timestamp, run_id string"
  `);
  expect(tables.scores.columns[1]).toEqual({ name: 'amount', type: 'decimal', digits: [10, 2] });
});

it('reserves the names of all columns that score-batch adds', () => {
  const { scores, quarantine, report } = tablesOf(NAMES, { key: [], keep: [], scoreColumn: 'the score' });
  for (const { columns } of [scores, report ?? scores]) {
    for (const { name } of columns) if (name !== 'the score') expect(RESERVED_COLUMNS).toContain(name);
  }
  for (const { name } of quarantine.columns) expect([...RESERVED_COLUMNS, ...RESERVED_FOR_KEYS]).toContain(name);
});

it('has report and summary only if the job names them', () => {
  const { report, summary } = tablesOf(
    { ...NAMES, report: undefined, summary: undefined },
    { key: KEY, keep: KEEP, scoreColumn: 'churn' },
  );
  expect([report, summary]).toEqual([undefined, undefined]);
});
