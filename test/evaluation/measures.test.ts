import fc from 'fast-check';
import { expect, it } from 'vitest';
import { calibrationBins, calibrationError } from '../../src/evaluation/calibration.ts';
import { measure } from '../../src/evaluation/measures.ts';
import { countsOf, type Scored } from './reference.ts';

const scored = fc.record({ score: fc.integer({ min: 0, max: 1_000_000 }), cameTrue: fc.boolean() });
const users = fc.array(scored, { minLength: 1, maxLength: 80 });
const tied = fc.array(
  scored.map((user) => ({ ...user, score: Math.round(user.score / 250_000) * 250_000 })),
  { minLength: 1, maxLength: 80 },
);

it('bins hold all users once, keep equal scores together, and are equal in size where scores differ', () => {
  fc.assert(
    fc.property(fc.oneof(users, tied), (list) => {
      const counts = countsOf(list);
      const bins = calibrationBins(counts);
      expect(bins.reduce((sum, bin) => sum + bin.users, 0)).toBe(list.length);
      expect(bins.reduce((sum, bin) => sum + bin.positives, 0)).toBe(list.filter(({ cameTrue }) => cameTrue).length);
      expect(bins.length).toBeLessThanOrEqual(Math.min(10, counts.scores.length));
      expect(bins.map(({ bin }) => bin)).toEqual([...new Set(bins.map(({ bin }) => bin))].sort((a, b) => a - b));
      for (const { bin } of bins) expect(bin).toSatisfy((number: number) => number >= 1 && number <= 10);
      // Bins follow each other: each ends below where the next begins, so no score is in two of them.
      for (const [i, { meanScore }] of bins.entries()) expect(meanScore).toBeGreaterThan(bins[i - 1]?.meanScore ?? -1);
      if (counts.scores.length === list.length)
        for (const { users: size } of bins) expect(Math.abs(size - list.length / 10)).toBeLessThanOrEqual(1);
    }),
  );
});

it('measures of a forecaster that says the truth: no calibration error, and the least Brier score', () => {
  const list: Scored[] = [0, 250_000, 500_000, 1_000_000].flatMap((score) =>
    Array.from({ length: 40 }, (_, i) => ({ score, cameTrue: i < (score / 1_000_000) * 40 })),
  );
  const honest = measure(countsOf(list));
  expect(honest.calibrationError).toBeCloseTo(0, 12);
  expect(honest).toMatchObject({ users: 160, positives: 70, negatives: 90, meanScore: 0.4375 });
  const boastful = measure(countsOf(list.map((user) => ({ ...user, score: Math.min(1_000_000, user.score + 100_000) }))));
  // A quarter of the users cannot be raised.
  expect(boastful.calibrationError).toBeCloseTo(0.075, 12);
  expect(boastful.brier).toBeGreaterThan(honest.brier ?? 1);
});

it('says nothing of a ranking where all are of one class, and nothing at all of nobody', () => {
  const all = measure(countsOf([1, 2, 3].map((score) => ({ score, cameTrue: true }))));
  expect(all).toMatchObject({ users: 3, auc: undefined, aucLow: undefined, averagePrecision: undefined });
  expect(all.brier).toBeCloseTo(1, 5);
  expect(measure(countsOf([]))).toEqual({
    ...{ users: 0, positives: 0, negatives: 0, calibration: [] },
    ...{ meanScore: undefined, auc: undefined, aucLow: undefined, aucHigh: undefined },
    ...{ averagePrecision: undefined, brier: undefined, calibrationError: undefined },
  });
  expect(calibrationError([])).toBeUndefined();
});
