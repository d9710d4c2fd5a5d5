import type { CheckedLimit } from '../../src/compare/comparison.ts';
import type { Comparison, ComparisonSide } from '../../src/domain/comparison.ts';

const SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

function side(name: string, version: string, mean: number): ComparisonSide {
  return {
    ...{ name, job: 'churn-weekly', run_id: `1997-W11-${version}`, publication: 1, rows: 'published', users: 2_053 },
    window: { label: '1997-W11', start: '1997-03-10T05:00:00.000Z', end: '1997-03-17T05:00:00.000Z' },
    model: { name: 'churn-mlp', version, digest: 'd'.repeat(64) },
    mean_score: mean,
    quantiles: SHARES.map((share) => ({ share, value: mean * share })),
  };
}

/** A comparison with all parts. */
export const COMPARISON: Comparison = {
  a: side('1997-W11', 'v1', 0.8362),
  b: side('1997-W11-0123456789ab', 'v2', 0.8574),
  coverage: { both: 2_053, only_a: 0, only_b: 0, of_a: 1, of_b: 1 },
  differences: {
    ...{ users: 2_053, mean: 0.0211, mean_absolute: 0.0212, max_absolute: 0.12, equal: 3, much_higher: 12, much_lower: 1 },
    quantiles: SHARES.map((share) => ({ share, value: share / 20 })),
  },
  largest: [{ key: ['21104', '<b>'], score_a: 0.767, score_b: 0.8176, difference: 0.0506 }],
  ranks: { top_decile_overlap: 0.913, spearman: 0.995 },
  bands: {
    names: ['high', 'medium', 'low'],
    moves: [
      { from: 'high', to: 'high', users: 188 },
      { from: 'high', to: 'medium', users: 17 },
      { from: 'low', to: 'low', users: 1_848 },
    ],
    moved: 0.0083,
  },
  histogram: { a: [0, 0, 0, 0, 0, 30, 200, 300, 1_500, 23], b: [0, 0, 0, 0, 0, 20, 100, 310, 1_523, 100] },
  psi: 0.788,
  outcomes: {
    a: {
      users: 2_053,
      positives: 1_739,
      auc: 0.5992,
      auc_low: 0.5649,
      auc_high: 0.6334,
      brier: 0.1265,
      calibration_error: 0.0199,
    },
    b: {
      users: 2_053,
      positives: 1_739,
      auc: 0.5951,
      auc_low: 0.5611,
      auc_high: 0.6292,
      brier: 0.1266,
      calibration_error: 0.016,
    },
    by: 'paired',
    auc_difference: { value: -0.004, low: -0.0077, high: -0.0003 },
  },
  notes: ['the model of B was trained through 1997-W11, so it may have seen the outcomes of 1997-W11'],
};

export const LIMITS: readonly CheckedLimit[] = [
  { name: 'min_coverage', limit: 0.99, value: 1, state: 'within' },
  { name: 'max_psi', limit: 0.25, value: 0.788, state: 'beyond' },
];
