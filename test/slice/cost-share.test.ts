import { expect, it } from 'vitest';
import { STAGES, type StageSeconds } from '../../src/domain/stages.ts';
import { bytesWarning, costShareOf } from '../../src/slice/cost-share.ts';

const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
const NONE = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as StageSeconds;
const batch = { seconds: { ...NONE, freeze: 16, score: 60 }, rows: 50_000 };
const slice = { seconds: { ...NONE, plan: 0.9, score: 0.15, reconcile: 0.04, publish: 0.31 }, rows: 20 };

it('the share of a slice is the part of the batch that its interval is of the window; the fixed stages are named', () => {
  const found = costShareOf({ batch, slice, interval: HOUR, window: WEEK });
  expect(found?.share).toBeCloseTo(76 / 168);
  expect(found?.ratio).toBeCloseTo((1.4 * 168) / 76);
  expect(found?.fixed).toBeCloseTo(1.25);
  expect(found?.warning).toBe(
    'the slice took 1.4 s, 3.1 times its share of the batch (76 s for a week, or 0.45 s for an hour): 1.3 s of that is fixed cost (plan 0.9, publish 0.31)',
  );
});

it('nothing is said of a slice within its share', () => {
  expect(costShareOf({ batch, slice, interval: 4 * HOUR, window: WEEK })).not.toHaveProperty('warning');
  // Exactly its share.
  expect(costShareOf({ batch, slice: batch, interval: WEEK, window: WEEK })).toMatchObject({ share: 76, ratio: 1 });
  expect(costShareOf({ batch, slice: batch, interval: WEEK, window: WEEK })).not.toHaveProperty('warning');
});

it('without a batch there is nothing to compare with', () => {
  expect(costShareOf({ batch: undefined, slice, interval: HOUR, window: WEEK })).toBeUndefined();
  expect(bytesWarning({ batch, slice, interval: HOUR, window: WEEK })).toBeUndefined();
});

it('other intervals have their names', () => {
  const found = costShareOf({
    batch,
    slice: { ...slice, seconds: { ...NONE, score: 100 } },
    interval: HOUR / 4,
    window: 36 * HOUR,
  });
  expect(found?.warning).toBe(
    'the slice took 100 s, 189 times its share of the batch (76 s for 36 hours, or 0.53 s for 15 minutes): 0 s of that is fixed cost',
  );
});

it('bytes are compared where both runs have them', () => {
  const options = {
    ...{ batch: { ...batch, bytes: 168e9 }, slice: { ...slice, bytes: 2.5e9 } },
    ...{ interval: HOUR, window: WEEK },
  };
  expect(bytesWarning(options)).toBe(
    'the slice read 2.5 GB, 2.5 times its share of the batch (168 GB for a week, or 1 GB for an hour); 125 MB a row, the batch 3.36 MB a row',
  );
  expect(bytesWarning({ ...options, slice: { ...slice, bytes: 1e9 } })).toBeUndefined();
});
