import fc from 'fast-check';
import { expect, it } from 'vitest';
import { measureAuc } from '../../src/evaluation/auc.ts';
import { countsOf, quadraticAuc, type Scored } from './reference.ts';

/** Few distinct scores, so that ties are common. */
const users = fc.array(fc.record({ score: fc.integer({ min: 0, max: 12 }).map((n) => n * 80_000), cameTrue: fc.boolean() }), {
  minLength: 1,
  maxLength: 60,
});

const ofBothClasses = users.filter((list) => list.some(({ cameTrue }) => cameTrue) && list.some(({ cameTrue }) => !cameTrue));

it('equals the quadratic reference, and so does the interval', () => {
  fc.assert(
    fc.property(ofBothClasses, (list) => {
      const found = measureAuc(countsOf(list));
      const { auc, variance } = quadraticAuc(list);
      expect(found?.auc).toBeCloseTo(auc, 12);
      if (found?.interval === undefined) {
        const smaller = Math.min(
          list.filter(({ cameTrue }) => cameTrue).length,
          list.filter(({ cameTrue }) => !cameTrue).length,
        );
        expect(smaller < 2 || auc === 0 || auc === 1 || variance < 1e-15).toBe(true);
        return;
      }
      const half = 1.959963984540054 * Math.sqrt(variance);
      expect(found.interval[0]).toBeCloseTo(Math.max(0, auc - half), 12);
      expect(found.interval[1]).toBeCloseTo(Math.min(1, auc + half), 12);
    }),
    { numRuns: 1_000 },
  );
});

it('is mirrored where outcomes are, keeps still where scores are stretched, and grows with each pair put right', () => {
  fc.assert(
    fc.property(ofBothClasses, (list) => {
      const found = measureAuc(countsOf(list));
      const flipped = measureAuc(countsOf(list.map(({ score, cameTrue }) => ({ score, cameTrue: !cameTrue }))));
      expect(flipped?.auc).toBeCloseTo(1 - (found?.auc ?? 0), 12);
      expect(flipped?.interval?.[0] ?? 0).toBeCloseTo(found?.interval === undefined ? 0 : 1 - found.interval[1], 12);
      const stretched = measureAuc(
        countsOf(list.map(({ score, cameTrue }) => ({ score: Math.floor(score ** 1.01), cameTrue }))),
      );
      expect(stretched).toEqual(found);
      const raised = list.map(({ score, cameTrue }) => ({ score: cameTrue ? score + 80_000 : score, cameTrue }));
      expect(measureAuc(countsOf(raised))?.auc ?? 0).toBeGreaterThanOrEqual(found?.auc ?? 1);
    }),
  );
});

it('narrows with the root of the number of users', () => {
  const list = (times: number): Scored[] =>
    Array.from({ length: times * 40 }, (_, i) => ({ score: ((i * 7) % 40) * 1_000, cameTrue: i % 40 < 25 }));
  const width = (times: number) => {
    const [low = 0, high = 0] = measureAuc(countsOf(list(times)))?.interval ?? [];
    return high - low;
  };
  expect(width(4) / width(16)).toBeGreaterThan(1.95);
  expect(width(4) / width(16)).toBeLessThan(2.1);
});

it.each<[string, readonly Scored[], number | undefined]>([
  ['a positive alone', [{ score: 1, cameTrue: true }], undefined],
  ['no users', [], undefined],
  ['positives above all negatives', [0, 1, 5, 6].map((score) => ({ score, cameTrue: score > 3 })), 1],
  ['positives below all negatives', [0, 1, 5, 6].map((score) => ({ score, cameTrue: score < 3 })), 0],
  ['one positive', [0, 1, 5, 6].map((score) => ({ score, cameTrue: score === 5 })), 2 / 3],
  ['all scores equal', [true, true, false, false, false].map((cameTrue) => ({ score: 7, cameTrue })), 0.5],
])('has no interval for %s', (_, list, auc) => {
  expect(measureAuc(countsOf(list))).toEqual(auc === undefined ? undefined : { auc, interval: undefined });
});
