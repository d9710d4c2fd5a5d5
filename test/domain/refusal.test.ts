import { expect, it } from 'vitest';
import { compareNames, furtherRefusals, GATE_ALIASES, GATES, type Refusal } from '../../src/domain/refusal.ts';
import { gates } from '../../src/job/gates-schema.ts';

it('names a gate like its key in the job file, if it has one', () => {
  const withoutKey = GATES.filter((name) => !(name in gates.shape));
  expect(withoutKey).toEqual(['empty', 'never_seen', 'duplicates', 'all_quarantined']);
  const noGates = Object.keys(gates.shape).filter((key) => !(GATES as readonly string[]).includes(key));
  expect(noGates).toEqual(['psi_min_rows', 'on_evaluation']);
  expect(Object.keys(GATE_ALIASES).filter((alias) => (GATES as readonly string[]).includes(alias))).toEqual([]);
});

it('says which names did not refuse, and which gates are not named', () => {
  expect(compareNames(['max_drop'], ['max_drop'])).toEqual({ idle: [], missing: [] });
  expect(compareNames(['max_drop', 'min_rows'], ['max_drop', 'max_score_psi'])).toEqual({
    idle: ['min_rows'],
    missing: ['max_score_psi'],
  });
  // An alias covers those of its gates that refused.
  expect(compareNames(['drift'], ['max_feature_psi'])).toEqual({ idle: [], missing: [] });
  expect(compareNames(['drift'], ['max_null_share'])).toEqual({ idle: ['drift'], missing: ['max_null_share'] });
});

it('tells a refusal of another feature or baseline from a known one, whatever its number', () => {
  const refusal = (more: Partial<Refusal>): Refusal => ({
    gate: 'max_feature_psi',
    message: '',
    measured: 1,
    limit: 0,
    ...more,
  });
  const known = [refusal({ feature: 'a' }), refusal({ gate: 'max_score_psi', baseline: 'reference' })];
  expect(furtherRefusals([refusal({ feature: 'a', measured: 2 })], known)).toEqual([]);
  const further = [refusal({ feature: 'b' }), refusal({ gate: 'max_score_psi', baseline: 'previous' })];
  expect(furtherRefusals([...known, ...further], known)).toEqual(further);
});
