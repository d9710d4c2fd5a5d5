import { expect, it } from 'vitest';
import type { MeasuredDrift } from '../../src/domain/feature-drift.ts';
import { checkFeatures, type FeatureLimits } from '../../src/domain/feature-gates.ts';

const feature = (name: string, psi: number, nullShare: number) => ({
  feature: name,
  psi,
  nullShare,
  referenceNullShare: 0,
  bins: [],
});
const DRIFT: MeasuredDrift = { rows: 1000, features: [feature('price', 0.4567, 0.1004), feature('age', 0.25, 0.02)] };
const LIMITS = { psi_min_rows: 500 };

function messagesOf(drift: MeasuredDrift, limits: FeatureLimits): string[] {
  return checkFeatures(drift, 1000, limits).refusals.map(({ message }) => message);
}

it('names feature, measured value and limit', () => {
  expect(checkFeatures(DRIFT, 1000, { ...LIMITS, max_feature_psi: 0.25, max_null_share: 0.1 })).toEqual({
    refusals: [
      {
        gate: 'max_null_share',
        message: '10.04 % of the values of price are null, gates.max_null_share is 10 %',
        measured: 0.1004,
        limit: 0.1,
        feature: 'price',
      },
      {
        gate: 'max_feature_psi',
        message: "price drifted from the bundle's reference: PSI 0.457, gates.max_feature_psi is 0.25",
        measured: 0.4567,
        limit: 0.25,
        feature: 'price',
      },
    ],
    warnings: [],
  });
});

it('limits only the features that are named, each by its own limit', () => {
  const limits = { ...LIMITS, max_feature_psi: { age: 0.2 }, max_null_share: { price: 0.2, constructor: 0 } };
  expect(messagesOf(DRIFT, limits)).toEqual([
    "age drifted from the bundle's reference: PSI 0.250, gates.max_feature_psi is 0.2",
  ]);
  expect(checkFeatures(DRIFT, 1000, { ...LIMITS, max_feature_psi: {} }).refusals).toEqual([]);
});

it('shows as many digits as a refusal needs', () => {
  const drift = { rows: 1000, features: [feature('price', 0.250001, 0)] };
  expect(messagesOf(drift, { ...LIMITS, max_feature_psi: 0.25 })).toEqual([
    "price drifted from the bundle's reference: PSI 0.250001, gates.max_feature_psi is 0.25",
  ]);
});

it('is skipped with a warning for few scored rows, and says nothing without a limit', () => {
  expect(checkFeatures(DRIFT, 499, { ...LIMITS, max_null_share: 0 })).toEqual({
    refusals: [],
    warnings: ['drift check of the features skipped: 499 scored rows, gates.psi_min_rows is 500'],
  });
  expect(checkFeatures(DRIFT, 1, LIMITS).warnings).toEqual([]);
  expect(checkFeatures(undefined, 1000, { ...LIMITS, max_feature_psi: 0.1 }).refusals).toEqual([]);
});
