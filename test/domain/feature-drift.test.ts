import { expect, it } from 'vitest';
import { type FeatureReference, featureDrift, type MeasuredDrift, worstFirst } from '../../src/domain/feature-drift.ts';
import { recordedDrift, worstFeatures } from '../../src/domain/recorded-drift.ts';

const NUMBER: FeatureReference = { edges: [1], shares: [0.5, 0.5], nulls: 0.2 };
const PLAN: FeatureReference = { categories: { free: 0.75, pro: 0.25 }, other: 0, nulls: 0 };

it('is the sum over the bins of all rows, with a bin for nulls', () => {
  // 0.4, 0.4 and 0.2 of all rows, now 0.5, 0.25 and 0.25: 0.1·ln(1.25) − 0.15·ln(0.625) + 0.05·ln(1.25)
  expect(featureDrift('price', NUMBER, { rows: 100, listed: [50, 25], present: 75 })).toEqual({
    feature: 'price',
    psi: 0.103972,
    nullShare: 0.25,
    referenceNullShare: 0.2,
    bins: [
      { name: 'below 1', now: 0.5, reference: 0.4 },
      { name: '1 and more', now: 0.25, reference: 0.4 },
      { name: '(null)', now: 0.25, reference: 0.2 },
    ],
  });
});

it('is 0 for the reference itself', () => {
  expect(featureDrift('price', NUMBER, { rows: 10, listed: [4, 4], present: 8 }).psi).toBe(0);
  expect(featureDrift('plan', PLAN, { rows: 8, listed: [6, 2], present: 8 }).psi).toBe(0);
});

it('has a bin for values that were never seen, whose share at training is taken to be 0.0001', () => {
  const { psi, bins } = featureDrift('plan', PLAN, { rows: 100, listed: [0, 0], present: 100 });
  // (1 − 0.0001)·ln(10000) + (0.0001 − 0.75)·ln(0.0001 / 0.75) + (0.0001 − 0.25)·ln(0.0001 / 0.25)
  expect(psi).toBeCloseTo(9.209419 + 6.691101 + 1.955229, 5);
  expect(bins.map(({ name, now }) => `${name} ${now}`)).toEqual(['free 0', 'pro 0', '(never seen) 1', '(null) 0']);
  const known = featureDrift(
    'plan',
    { ...PLAN, categories: { free: 0.75 }, other: 0.25 },
    { rows: 8, listed: [6], present: 8 },
  );
  expect(known.psi).toBe(0);
  expect(known.bins[1]).toEqual({ name: '(other)', now: 0.25, reference: 0.25 });
});

it('throws without rows', () => {
  expect(() => featureDrift('plan', PLAN, { rows: 0, listed: [0, 0], present: 0 })).toThrow(RangeError);
});

it('is recorded for the worst features, with bins for three', () => {
  const features = Array.from({ length: 250 }, (_, i) => ({
    ...featureDrift(`f${i}`, PLAN, { rows: 250, listed: [i, 250 - i], present: 250 }),
    psi: i % 125,
  }));
  const drift: MeasuredDrift = { rows: 250, features: worstFirst(features) };
  const recorded = recordedDrift(drift);
  expect(recorded).toMatchObject({ rows: 250, measured: 250 });
  expect(recorded.features).toHaveLength(200);
  expect(recorded.features.filter(({ bins }) => bins !== undefined).map(({ feature }) => feature)).toEqual([
    'f124',
    'f249',
    'f123',
  ]);
  expect(worstFeatures(recorded)[0]).toEqual({ feature: 'f124', psi: 124, null_share: 0, reference_null_share: 0 });
  expect(worstFeatures(undefined)).toEqual([]);
});
