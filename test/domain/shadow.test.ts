import { expect, it } from 'vitest';
import { isWithin } from '../../src/domain/shadow.ts';

const FACTS = {
  ...{ window: { label: '1997-W11', start: '', end: '' }, run_id: 'r', publication: 1, keys: 200, missing: 0, extra: 0 },
  ...{ quarantined_in_batch: 0, quarantined_in_current: 0, compared: 200, differing: 0, largest_delta: 0 },
  ...{ max_delta: 1e-6, other_model: 0 },
};

it('is within limits without a difference, and whatever is of another model or was not checked', () => {
  expect(isWithin(FACTS, 0)).toBe(true);
  expect(isWithin({ ...FACTS, other_model: 7, extra: null }, 0)).toBe(true);
});

it.each(['missing', 'extra', 'quarantined_in_batch', 'quarantined_in_current', 'differing'] as const)(
  'is not within limits with one user who is %s',
  (name) => {
    expect(isWithin({ ...FACTS, [name]: 1 }, 0)).toBe(false);
  },
);

it('lets the batch lack a share of the users that it scored, and the current table none', () => {
  expect(isWithin({ ...FACTS, extra: 2 }, 0.01)).toBe(true);
  expect(isWithin({ ...FACTS, extra: 3 }, 0.01)).toBe(false);
  expect(isWithin({ ...FACTS, missing: 1 }, 0.01)).toBe(false);
});
