import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Histogram, populationStabilityIndex } from '../../src/domain/psi.ts';

const THIRDS: Histogram = { edges: [0.3, 0.6], shares: [0.5, 0.25, 0.25] };

it('is the sum of (p − q) · ln(p / q)', () => {
  // 20, 50 and 30 of 100: -0.3·ln(0.4) + 0.25·ln(2) + 0.05·ln(1.2)
  expect(populationStabilityIndex([20, 50, 30], THIRDS)).toBeCloseTo(0.274887 + 0.173287 + 0.009116, 6);
});

it('counts an empty bin as 0.0001 on either side, so the index stays finite', () => {
  // (0.0001 − 0.5)·ln(0.0002) + (0.5 − 0.25)·ln(2) twice
  expect(populationStabilityIndex([0, 50, 50], THIRDS)).toBeCloseTo(4.257745 + 2 * 0.173287, 5);
  // (0.5 − 0.0001)·ln(5000) + (0.5 − 1)·ln(0.5)
  expect(populationStabilityIndex([5, 5], { edges: [0.5], shares: [0, 1] })).toBeCloseTo(4.257745 + 0.346574, 5);
});

const counts = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 12 });

it('is 0 for the reference’s own shares at any number of rows, and positive for others', () => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 1000 }), fc.nat(11), (bins, factor, bin) => {
      const total = bins.reduce((sum, count) => sum + count, 0);
      const reference = { edges: bins.slice(1), shares: bins.map((count) => count / total) };
      const same = bins.map((count) => count * factor);
      expect(populationStabilityIndex(same, reference)).toBeCloseTo(0, 12);
      const moved = same.map((count, i) => (i === bin % bins.length ? count + total * factor : count));
      if (bins.length > 1) expect(populationStabilityIndex(moved, reference)).toBeGreaterThan(0);
    }),
  );
});

it('throws without counts, and for different bins', () => {
  expect(() => populationStabilityIndex([0, 0, 0], THIRDS)).toThrow('an empty distribution has no stability index');
  expect(() => populationStabilityIndex([1, 2], THIRDS)).toThrow('the two distributions have different bins');
});
