import fc from 'fast-check';
import { expect, it } from 'vitest';
import { populationStabilityIndex } from '../../src/domain/psi.ts';
import { quantileHistogram } from '../../src/reference/histogram.ts';

const sorted = (values: readonly number[]) => Float64Array.from(values).sort();

it('has ten equal bins where values differ, fewer where they repeat', () => {
  const thousand = quantileHistogram(sorted(Array.from({ length: 1000 }, (_, i) => i)));
  expect(thousand.edges).toHaveLength(9);
  for (const share of thousand.shares) expect(share).toBeCloseTo(0.1, 2);
  expect(quantileHistogram(sorted([0, 0, 0, 1, 1]))).toEqual({ edges: [0.5], shares: [0.6, 0.4] });
  // The least value has nearly all rows.
  expect(quantileHistogram(sorted([...new Array(99).fill(0), 7]))).toEqual({ edges: [3.5], shares: [0.99, 0.01] });
  expect(quantileHistogram(sorted([3, 3]))).toEqual({ edges: [2.85, 3.15], shares: [0, 1, 0] });
  expect(quantileHistogram(sorted([1, 1]), [0, 1])).toEqual({ edges: [0.95, 1], shares: [0, 0, 1] });
});

it('is one that model.yaml takes, of which no value lies on an edge, and from which its own values do not differ', () => {
  const numbers = fc.oneof(
    fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 }),
    fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 200 }),
    // Neighbours, between which there is nothing.
    fc.constant([1, 1 + Number.EPSILON]),
  );
  fc.assert(
    fc.property(numbers, (given) => {
      const values = sorted(given);
      const { edges, shares } = quantileHistogram(values);
      expect(shares).toHaveLength(edges.length + 1);
      for (const [i, edge] of edges.entries()) if (i > 0) expect(edge).toBeGreaterThan(edges[i - 1] as number);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
      // Counted in another way: bin i holds edges[i-1] <= x < edges[i].
      const counts = shares.map(
        (_, i) => values.filter((value) => value >= (edges[i - 1] ?? -Infinity) && value < (edges[i] ?? Infinity)).length,
      );
      expect(populationStabilityIndex(counts, { edges, shares })).toBeLessThan(1e-6);
    }),
  );
});
