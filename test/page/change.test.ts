import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitChange } from '../../src/page/change.ts';

const totals = fc
  .record({ users: fc.nat(100_000), mean: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ users, mean }) => ({ users, expected: users * mean }));
const values = fc.array(fc.record({ value: fc.string(), now: totals, before: totals }), { maxLength: 30 });

describe('where a change comes from', () => {
  it('is what the formulas say', () => {
    const { size, risk, total } = splitChange([
      { value: 'a', now: { users: 120, expected: 60 }, before: { users: 100, expected: 40 } },
      { value: 'b', now: { users: 50, expected: 5 }, before: { users: 80, expected: 16 } },
    ]);
    // (120 − 100) · 0.4 + (50 − 80) · 0.2, and 120 · (0.5 − 0.4) + 50 · (0.1 − 0.2)
    expect(size).toBeCloseTo(8 - 6, 10);
    expect(risk).toBeCloseTo(12 - 5, 10);
    expect(total).toBeCloseTo(9, 10);
  });

  it('is size and risk and nothing else, in all and for each value', () => {
    fc.assert(
      fc.property(values, (changed) => {
        const split = splitChange(changed);
        expect(split.size + split.risk).toBeCloseTo(split.total, 5);
        for (const { now, before, size, risk } of split.values)
          expect(size + risk).toBeCloseTo(now.expected - before.expected, 6);
      }),
    );
  });

  it('is size alone if no mean score changed, and risk alone if no number of users did', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(totals, fc.nat(1000))), (changed) => {
        const grown = changed.map(([before, factor]) => ({
          value: '',
          before,
          now: { users: before.users * factor, expected: before.expected * factor },
        }));
        expect(splitChange(grown).risk).toBeCloseTo(0, 3);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(totals, fc.double({ min: 0, max: 1, noNaN: true }))), (changed) => {
        const rescored = changed.map(([before, mean]) => ({
          value: '',
          before,
          now: { users: before.users, expected: before.users * mean },
        }));
        expect(splitChange(rescored).size).toBeCloseTo(0, 6);
      }),
    );
  });

  it('of a value that is new or gone is size', () => {
    const [came, went] = splitChange([
      { value: 'new', now: { users: 3, expected: 2 }, before: { users: 0, expected: 0 } },
      { value: 'gone', now: { users: 0, expected: 0 }, before: { users: 4, expected: 1 } },
    ]).values;
    expect(came).toMatchObject({ size: 2, risk: 0 });
    expect(went).toMatchObject({ size: -1, risk: 0 });
  });
});
