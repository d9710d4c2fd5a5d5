import type { Comparison } from '../domain/comparison.ts';
import type { JobDefinition } from '../job/schema.ts';
import { rounded } from './rounded.ts';

export type CompareLimits = JobDefinition['compare'];
export type LimitName = keyof CompareLimits;

/** One limit of the job file, and the comparison's verdict on it. */
export interface CheckedLimit {
  readonly name: LimitName;
  readonly limit: number;
  /** Null if it was not measured. */
  readonly value: number | null;
  /**
   * `not checked` if outcomes are not known, or if the sides are two windows without common users. A measure missing for two
   * sides of one window is `beyond`: nothing shows that it is within.
   */
  readonly state: 'within' | 'beyond' | 'not checked';
}

/** Checks the limits that the job file sets, in the order of their definition. */
export function checkComparison(comparison: Comparison, limits: CompareLimits): CheckedLimit[] {
  return LIMITS.flatMap(({ name, ...rule }) => {
    const limit = limits[name];
    if (limit === undefined) return [];
    const value = rule.value(comparison) ?? null;
    return [{ name, limit, value, state: stateOf(comparison, { ...rule, limit, value }) }];
  });
}

interface Rule {
  readonly least: boolean;
  readonly of: 'users in both' | 'all users' | 'outcomes';
}

function stateOf(
  { a, b, coverage }: Comparison,
  { least, of, limit, value }: Rule & { readonly limit: number; readonly value: number | null },
): CheckedLimit['state'] {
  if (of === 'outcomes' && value === null) return 'not checked';
  const otherWindow = a.window.start !== b.window.start || a.window.end !== b.window.end;
  if (of === 'users in both' && otherWindow && coverage.both === 0) return 'not checked';
  if (value === null) return 'beyond';
  return (least ? value >= limit : value <= limit) ? 'within' : 'beyond';
}

const LIMITS: readonly (Rule & {
  readonly name: LimitName;
  readonly value: (comparison: Comparison) => number | null | undefined;
})[] = [
  {
    ...{ name: 'min_coverage', least: true, of: 'users in both' },
    value: ({ coverage: { of_a, of_b } }) => (of_a === null || of_b === null ? null : Math.min(of_a, of_b)),
  },
  {
    ...{ name: 'max_mean_change', least: false, of: 'all users' },
    value: ({ a, b }) =>
      a.mean_score === null || b.mean_score === null ? null : rounded(Math.abs(b.mean_score - a.mean_score)),
  },
  {
    ...{ name: 'max_score_change', least: false, of: 'users in both' },
    value: ({ differences }) => differences?.max_absolute,
  },
  {
    ...{ name: 'min_top_decile_overlap', least: true, of: 'users in both' },
    value: ({ ranks }) => ranks?.top_decile_overlap,
  },
  { ...{ name: 'min_rank_correlation', least: true, of: 'users in both' }, value: ({ ranks }) => ranks?.spearman },
  { ...{ name: 'max_band_moves', least: false, of: 'users in both' }, value: ({ bands }) => bands?.moved },
  { ...{ name: 'max_psi', least: false, of: 'all users' }, value: ({ psi }) => psi },
  {
    ...{ name: 'max_auc_drop', least: false, of: 'outcomes' },
    value: ({ outcomes }) => (outcomes?.auc_difference ? Math.max(0, -outcomes.auc_difference.low) : null),
  },
];
