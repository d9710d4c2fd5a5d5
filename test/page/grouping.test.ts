import fc from 'fast-check';
import { expect, it } from 'vitest';
import { groupSmall } from '../../src/page/grouping.ts';

it('shows no value below the limit, and no group that a reader could subtract to one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(60)),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 15 }),
      (values, minCell, most) => {
        const { shown, rest } = groupSmall(values, { minCell, most, users: (users) => users });
        expect([...shown, ...rest].sort((a, b) => a - b)).toEqual([...values].sort((a, b) => a - b));
        expect(shown.filter((users) => users < minCell)).toEqual([]);
        expect(shown.length).toBeLessThanOrEqual(most);
        const total = rest.reduce((sum, users) => sum + users, 0);
        expect(rest.length === 0 || total >= minCell || shown.length === 0).toBe(true);
        expect(Math.min(...shown)).toBeGreaterThanOrEqual(Math.max(-1, ...rest));
      },
    ),
  );
});

it('groups no more than it must', () => {
  const limits = { minCell: 10, most: 12, users: (users: number) => users };
  expect(groupSmall([40, 30, 20], limits)).toEqual({ shown: [40, 30, 20], rest: [] });
  expect(groupSmall([9, 40, 8], limits)).toEqual({ shown: [40], rest: [9, 8] });
  expect(groupSmall([40, 9, 30], limits)).toEqual({ shown: [40], rest: [30, 9] });
});
