import fc from 'fast-check';
import { expect, it } from 'vitest';
import { measureAuc } from '../../src/evaluation/auc.ts';
import {
  countPaired,
  type PairedUsers,
  pairedAucDifference,
  unpairedAucDifference,
} from '../../src/evaluation/auc-difference.ts';
import { countsOf, quadraticAuc } from './reference.ts';

interface User {
  readonly a: number;
  readonly b: number;
  readonly cameTrue: boolean;
}

const Z = 1.959963984540054;

/** Few distinct scores, so that ties are common, and scores that lean on each other. */
const users = fc
  .array(fc.record({ a: fc.integer({ min: 0, max: 12 }), shift: fc.integer({ min: 0, max: 4 }), cameTrue: fc.boolean() }), {
    minLength: 4,
    maxLength: 60,
  })
  .map((list) => list.map(({ a, shift, cameTrue }): User => ({ a: a * 60, b: (a + shift) * 60, cameTrue })))
  .filter(
    (list) => list.filter(({ cameTrue }) => cameTrue).length >= 2 && list.filter(({ cameTrue }) => !cameTrue).length >= 2,
  );

function packed(list: readonly User[]): PairedUsers {
  return {
    size: list.length,
    a: Int32Array.from(list, ({ a }) => a),
    b: Int32Array.from(list, ({ b }) => b),
    cameTrue: Uint8Array.from(list, ({ cameTrue }) => Number(cameTrue)),
  };
}

/** As in the paper: the covariance matrix of the structural components over all pairs of a positive and a negative. */
function quadratic(list: readonly User[]): { readonly value: number; readonly variance: number } {
  const positives = list.filter(({ cameTrue }) => cameTrue);
  const negatives = list.filter(({ cameTrue }) => !cameTrue);
  const kernel = (x: number, y: number) => (x > y ? 1 : x === y ? 0.5 : 0);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const v10 = (side: 'a' | 'b') => positives.map((x) => mean(negatives.map((y) => kernel(x[side], y[side]))));
  const v01 = (side: 'a' | 'b') => negatives.map((y) => mean(positives.map((x) => kernel(x[side], y[side]))));
  const covariance = (one: readonly number[], other: readonly number[]) => {
    const [m, n] = [mean(one), mean(other)];
    return one.reduce((sum, value, i) => sum + (value - m) * ((other[i] ?? 0) - n), 0) / (one.length - 1);
  };
  const s = (one: 'a' | 'b', other: 'a' | 'b') =>
    covariance(v10(one), v10(other)) / positives.length + covariance(v01(one), v01(other)) / negatives.length;
  return { value: mean(v10('b')) - mean(v10('a')), variance: s('a', 'a') + s('b', 'b') - 2 * s('a', 'b') };
}

it('over the same users equals the covariances of all pairs', () => {
  fc.assert(
    fc.property(users, (list) => {
      const found = pairedAucDifference(packed(list));
      const { value, variance } = quadratic(list);
      const half = Z * Math.sqrt(Math.max(0, variance));
      expect(found?.value).toBeCloseTo(value, 12);
      // The root of a variance that is zero but for rounding.
      expect(found?.low).toBeCloseTo(Math.max(-1, value - half), 6);
      expect(found?.high).toBeCloseTo(Math.min(1, value + half), 6);
    }),
    { numRuns: 500 },
  );
});

it('is turned around where the sides are, and nothing where they are the same', () => {
  fc.assert(
    fc.property(users, (list) => {
      const { a, b, ...rest } = packed(list);
      const [found, turned] = [pairedAucDifference({ a, b, ...rest }), pairedAucDifference({ a: b, b: a, ...rest })];
      expect(turned?.value).toBeCloseTo(-(found?.value ?? 1), 12);
      expect(turned?.low).toBeCloseTo(-(found?.high ?? 1), 12);
      expect(pairedAucDifference({ a, b: a, ...rest })).toEqual({ value: 0, low: 0, high: 0 });
    }),
    { numRuns: 100 },
  );
});

it('counts users by either score, as the measures of one side do', () => {
  fc.assert(
    fc.property(users, (list) => {
      for (const side of ['a', 'b'] as const) {
        const counts = countPaired(packed(list), side);
        const others = list.map((user) => ({ score: user[side], cameTrue: user.cameTrue }));
        expect(counts).toEqual(countsOf(others));
        expect(measureAuc(counts)?.auc).toBeCloseTo(quadraticAuc(others).auc, 12);
      }
    }),
    { numRuns: 50 },
  );
});

it('over different users adds up the variances', () => {
  fc.assert(
    fc.property(users, users, (one, other) => {
      const sides = [one, other].map((list) => list.map(({ a, cameTrue }) => ({ score: a, cameTrue })));
      const found = unpairedAucDifference(countsOf(sides[0] ?? []), countsOf(sides[1] ?? []));
      const [x, y] = [quadraticAuc(sides[0] ?? []), quadraticAuc(sides[1] ?? [])];
      if (found === undefined) {
        expect([x, y].some(({ auc, variance }) => auc === 0 || auc === 1 || variance < 1e-15)).toBe(true);
        return;
      }
      expect(found.value).toBeCloseTo(y.auc - x.auc, 12);
      expect(found.high).toBeCloseTo(Math.min(1, y.auc - x.auc + Z * Math.sqrt(x.variance + y.variance)), 12);
    }),
    { numRuns: 300 },
  );
});

it('gives what NumPy, SciPy and scikit-learn give', () => {
  // AUCs by roc_auc_score; the interval by rankdata, np.cov of the structural components, and norm.ppf (Sun & Xu 2014).
  const list = Array.from({ length: 200 }, (_, i): User => {
    const a = (i * 7919) % 1000;
    const b = Math.floor((a * 3 + ((i * 104_729) % 1000)) / 4);
    return { a: a * 1000, b: b * 1000, cameTrue: (i * 31) % 100 < 20 + a / 20 };
  });
  const found = pairedAucDifference(packed(list));
  expect(found?.value).toBeCloseTo(-0.010768921095008155, 12);
  expect(found?.low).toBeCloseTo(-0.03512219395139876, 12);
  expect(found?.high).toBeCloseTo(0.013584351761382448, 12);
});

it('is not determined by users of one class, or by one user of a class', () => {
  const list: readonly User[] = [1, 2, 3].map((a) => ({ a, b: 4 - a, cameTrue: true }));
  expect(pairedAucDifference(packed(list))).toBeUndefined();
  expect(pairedAucDifference(packed([...list, { a: 1, b: 1, cameTrue: false }]))).toBeUndefined();
});
