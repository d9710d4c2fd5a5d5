import { expect, it } from 'vitest';
import type { LedgerEntry } from '../../src/domain/ledger.ts';
import { STAGES, type StageSeconds } from '../../src/domain/stages.ts';
import { batchCost, costWarnings } from '../../src/slice/cost-warnings.ts';

const HOUR = 3_600_000;
const NONE = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as StageSeconds;

function entry(runId: string, day: number, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    ...{ runId, job: 'weekly', state: 'completed', recordedAt: `1997-03-${day}T06:00:00.000Z`, host: 'a', fingerprint: 'f' },
    window: { label: '1997-W10', kind: 'week', start: '1997-03-03T05:00:00.000Z', end: '1997-03-10T05:00:00.000Z' },
    model: { name: 'm', version: '1', digest: 'd' },
    rows: { frozen: 100, scored: 99, quarantined: 1 },
    details: { seconds: { ...NONE, score: day } },
    ...changes,
  };
}

const adHoc = { label: 'x', kind: 'ad hoc', start: '1997-03-03T05:00:00.000Z', end: '1997-03-03T17:00:00.000Z' } as const;

it('the batch is the newest run of a window of the job; a week is a week where clocks change, too', () => {
  const entries = [entry('a', 10), entry('b', 17), entry('c', 18, { window: adHoc }), entry('d', 19, { state: 'failed' })];
  expect(batchCost(entries, 'week')).toMatchObject({ seconds: { score: 17 }, rows: 100, window: 168 * HOUR });
  expect(batchCost(entries, 'day')).toMatchObject({ seconds: { score: 18 }, window: 12 * HOUR });
  expect(batchCost(entries.slice(3), 'week')).toBeUndefined();
});

it('a catch-up slice has the share of all that it covers', async () => {
  const ledger = { entries: async () => [entry('a', 10, { details: { seconds: { ...NONE, score: 168 } } })] };
  const slice = { seconds: { ...NONE, publish: 20 }, rows: 5 };
  const options = { ledger, job: 'weekly', every: 'week', interval: HOUR, slice } as const;
  expect(await costWarnings({ ...options, covered: HOUR / 2 })).toEqual([
    'the slice took 20 s, 20 times its share of the batch (168 s for a week, or 1 s for an hour): 20 s of that is fixed cost (publish 20)',
  ]);
  expect(await costWarnings({ ...options, covered: 24 * HOUR })).toEqual([]);
  expect(await costWarnings({ ...options, covered: undefined })).toEqual([]);
});
