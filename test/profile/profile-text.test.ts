import { expect, it } from 'vitest';
import { profileOf } from '../../src/profile/profile.ts';
import { showProfile } from '../../src/profile/profile-text.ts';
import { alignTable } from '../../src/terminal/table.ts';

const WINDOW = {
  label: '2026-W01',
  kind: 'week' as const,
  start: '2025-12-29T00:00:00.000Z',
  end: '2026-01-05T00:00:00.000Z',
};

const NONE = { plan: 0, freeze: 0, reconcile: 0, explain: 0, publish: 0, challenge: 0, report: 0, clean_up: 0 };

// What the seconds of a run come to is chance: each fits into a terminal of 80 columns.
it.each([
  ['a tenth of a millisecond', 1e-4],
  ['milliseconds', 0.00123],
  ['hours', 12_345],
])('shows costs of %s in 80 columns, intervals that reach 0 as such', (_, cost) => {
  const samples = [1, 4, 2, 7].map((factor, i) => ({
    window: WINDOW,
    rows: 1000 * (i + 1),
    seconds: { ...NONE, score: factor * cost },
    bytes: Math.round(factor * cost * 1e9),
  }));
  const profile = profileOf(samples, { grain: 'week', usdPerTib: 6.25, changedShare: undefined, noun: 'run' });
  const text = showProfile({ profile, heading: [], notes: [], freshness: undefined, offer: undefined }, (header, rows) =>
    alignTable(header, rows),
  );
  expect(text).toMatch(/\n {2}per 1,000 rows .* s \(-.* s to .* s\), includes 0\n/);
  expect(text.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
});
