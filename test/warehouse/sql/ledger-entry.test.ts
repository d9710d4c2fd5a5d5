import { expect, it } from 'vitest';
import { readEntry } from '../../../src/warehouse/sql/ledger-entry.ts';

const PUBLISHED: Readonly<Record<string, string | null>> = {
  entry_number: '7',
  recorded_at: '2026-11-23 08:00:00.123000',
  run_id: '2026-W47-0123456789ab',
  job: 'weekly',
  window_label: '2026-W47',
  window_start: '2026-11-16 05:00:00.000000',
  window_end: '2026-11-23 05:00:00.000000',
  window_kind: 'week',
  state: 'published',
  publication: '2',
  fingerprint: 'f',
  model_name: 'm',
  model_version: '1',
  model_digest: 'd',
  rows_frozen: '3',
  rows_scored: '2',
  rows_quarantined: '1',
  host: 'here',
  details: '{"report":"reports/w.csv"}',
};

const read = (changed: Readonly<Record<string, string | null>>) =>
  readEntry((name) => ({ ...PUBLISHED, ...changed })[name] ?? null);

it('reads an entry as it was written', () => {
  expect(read({})).toMatchObject({
    recordedAt: '2026-11-23T08:00:00.123Z',
    publication: 2,
    rows: { frozen: 3, scored: 2, quarantined: 1 },
    details: { report: 'reports/w.csv' },
  });
  const started = { state: 'started', publication: null, rows_frozen: null, rows_scored: null, rows_quarantined: null };
  expect(read(started)).not.toHaveProperty('rows');
});

// If skipped, a published entry without rows would let every run of its window lose at the publish lock forever.
it.each<[column: string, text: string | null]>([
  ['details', 'x'],
  ['details', null],
  ['details', 'null'],
  ['details', '[]'],
  ['details', '{"report":5}'],
  ['details', '{"report":[5]}'],
  ['details', '{"files":"x"}'],
  ['rows_frozen', null],
  ['rows_scored', null],
  ['rows_quarantined', '-1'],
  ['publication', '1.5'],
  ['state', 'done'],
  ['state', null],
  ['window_kind', 'year'],
  ['window_start', null],
  ['recorded_at', 'yesterday'],
  ['run_id', '../x'],
  ['run_id', null],
  ['fingerprint', null],
])('refuses an entry whose %s is %s', (column, text) => {
  expect(() => read({ [column]: text })).toThrow(
    expect.objectContaining({
      kind: 'refused',
      message: expect.stringMatching(`^ledger entry 7 is damaged: ${column} is `),
      hint: expect.stringContaining('score_batch_ledger'),
    }),
  );
});
