import { describe, expect, it } from 'vitest';
import { type CompareLimits, checkComparison } from '../../src/compare/comparison.ts';
import { comparisonPage } from '../../src/compare/comparison-page.ts';
import { exceeded } from '../../src/compare/comparison-text.ts';
import type { Comparison } from '../../src/domain/comparison.ts';
import { COMPARISON, LIMITS } from './sample.ts';

const EVERY: CompareLimits = {
  ...{ min_coverage: 0.99, max_mean_change: 0.03, max_score_change: 0.2, min_top_decile_overlap: 0.9 },
  ...{ min_rank_correlation: 0.99, max_band_moves: 0.1, max_psi: 0.8, max_auc_drop: 0.01 },
};

describe('checkComparison', () => {
  it('says nothing without limits, and that all are within', () => {
    expect(checkComparison(COMPARISON, {})).toEqual([]);
    const checked = checkComparison(COMPARISON, EVERY);
    expect(checked.map(({ name }) => name)).toEqual(Object.keys(EVERY));
    expect(checked.filter(({ state }) => state !== 'within')).toEqual([]);
  });

  it.each<[CompareLimits, string]>([
    [{ max_mean_change: 0.02 }, 'max_mean_change: 0.0212 is more than 0.02'],
    [{ max_score_change: 0.1 }, 'max_score_change: 0.12 is more than 0.1'],
    [{ min_top_decile_overlap: 0.95 }, 'min_top_decile_overlap: 0.913 is less than 0.95'],
    [{ min_rank_correlation: 0.999 }, 'min_rank_correlation: 0.995 is less than 0.999'],
    [{ max_band_moves: 0.001 }, 'max_band_moves: 0.0083 is more than 0.001'],
    [{ max_psi: 0.25 }, 'max_psi: 0.788 is more than 0.25'],
    // The difference is −0.004, but the outcomes do not rule out a loss of 0.0077.
    [{ max_auc_drop: 0.005 }, 'max_auc_drop: 0.0077 is more than 0.005'],
  ])('finds what is beyond %j', (limits, line) => {
    expect(exceeded(checkComparison(COMPARISON, limits))).toEqual([line]);
  });

  it('takes what two runs of a window do not share as beyond, and does not check it for two windows', () => {
    const nobody: Comparison = {
      ...COMPARISON,
      coverage: { both: 0, only_a: 2_053, only_b: 2_053, of_a: 0, of_b: 0 },
      ...{ differences: null, ranks: null, bands: null, outcomes: null },
    };
    const states = (comparison: Comparison) => checkComparison(comparison, EVERY).map(({ state }) => state);
    expect(states(nobody)).toEqual([...['beyond', 'within', 'beyond', 'beyond', 'beyond', 'beyond', 'within', 'not checked']]);
    const later = { label: '1997-W12', start: '1997-03-17T05:00:00.000Z', end: '1997-03-24T05:00:00.000Z' };
    expect(states({ ...nobody, b: { ...nobody.b, window: later } })).toEqual([
      ...['not checked', 'within', 'not checked', 'not checked', 'not checked', 'not checked', 'within', 'not checked'],
    ]);
  });
});

describe('comparisonPage', () => {
  it('shows keys only if the report may, and escapes what it shows', () => {
    expect(comparisonPage(COMPARISON, LIMITS, { page_keys: false })).not.toContain('21104');
    const page = comparisonPage(COMPARISON, LIMITS, { page_keys: true });
    expect(page).toContain('21104, &lt;b&gt;');
    expect(page).toContain('max_psi: 0.788 is more than 0.25');
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });
});
