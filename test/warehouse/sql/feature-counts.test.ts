import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type FeatureReference, featureDrift } from '../../../src/domain/feature-drift.ts';
import { identifier, literal } from '../../../src/duckdb/sql.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import {
  type CountedFeature,
  countFeatures,
  divideFeatures,
  readFeatureCounts,
} from '../../../src/warehouse/sql/feature-counts.ts';
import { query } from '../../support/project.ts';
import { slowDrift } from '../../support/slow-drift.ts';

type Value = number | string | boolean | null;

const TYPES = { float: 'DOUBLE', string: 'VARCHAR', bool: 'BOOLEAN' } as const;

/** A column with values and a reference. */
interface Case {
  readonly type: keyof typeof TYPES;
  readonly values: readonly Value[];
  readonly reference: FeatureReference;
}

const FEW = ['', 'a', 'A', "it's", '"quoted"', '\\', '😀', 'é', 'e\u0301', 'null', 'constructor', '100%', '--'];

const nulls = fc.constantFrom(0, 0.1, 0.5);

/** Shares that add up to 1. */
const sharesOf = (weights: readonly number[]) => {
  const sum = weights.reduce((a, b) => a + b, 0);
  return sum === 0 ? weights.map(() => 1 / weights.length) : weights.map((weight) => weight / sum);
};

const numbers = (rows: number): fc.Arbitrary<Case> =>
  fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(-1e300, -2.5, -1, 0, 0.1, 1 / 3, 1, 2.5, 1e-7, 1e300), { maxLength: 6 }),
      fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }),
      nulls,
      fc.array(
        fc.oneof(
          fc.constantFrom(null, Number.NaN, Infinity, -Infinity, -0, 0.1, 1 / 3, 2.5, -2.5, 1e300),
          fc.double({ min: -3, max: 3, noNaN: true }),
        ),
        { minLength: rows, maxLength: rows },
      ),
    )
    .map(([edges, weights, share, values]) => ({
      type: 'float' as const,
      values,
      reference: { edges: edges.sort((a, b) => a - b), shares: sharesOf(weights.slice(0, edges.length + 1)), nulls: share },
    }));

const categories = (rows: number): fc.Arbitrary<Case> =>
  fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...FEW), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }),
      nulls,
      fc.array(
        fc.oneof(
          fc.constantFrom(...FEW, null),
          fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
        ),
        {
          minLength: rows,
          maxLength: rows,
        },
      ),
    )
    .map(([names, weights, share, values]) => {
      const [other = 0, ...shares] = sharesOf(weights.slice(0, names.length + 1));
      const reference = { categories: Object.fromEntries(names.map((name, i) => [name, shares[i] ?? 0])), other, nulls: share };
      return { type: 'string' as const, values, reference };
    });

const booleans = (rows: number): fc.Arbitrary<Case> =>
  fc
    .tuple(fc.boolean(), nulls, fc.array(fc.constantFrom(true, false, null), { minLength: rows, maxLength: rows }))
    .map(([asNumber, share, values]) => ({
      type: 'bool' as const,
      values,
      reference: asNumber
        ? { edges: [0.5], shares: [0.25, 0.75], nulls: share }
        : { categories: { true: 1 }, other: 0, nulls: share },
    }));

function sqlOf(value: Value | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'string' ? literal(value) : `'${Object.is(value, -0) ? '-0.0' : value}'`;
}

function featureOf({ type, reference }: Case, i: number): CountedFeature {
  const column = { name: `the "${i}" column`, type, native: TYPES[type] };
  return { feature: `f${i}`, column, reference };
}

async function driftOf(cases: readonly Case[]) {
  const features = cases.map(featureOf);
  const columns = cases.map(({ type }, i) => `CAST(v${i} AS ${TYPES[type]}) AS ${identifier(features[i]?.column.name ?? '')}`);
  const rows = (cases[0]?.values ?? []).map((_, row) => `(${cases.map(({ values }) => sqlOf(values[row])).join(', ')})`);
  const from = `(SELECT ${columns.join(', ')} FROM (VALUES ${rows.join(', ')}) AS raw(${cases.map((_, i) => `v${i}`).join(', ')}))`;
  const [found] = await query(
    ':memory:',
    `SELECT list_value(COLUMNS(*)) AS row FROM (${countFeatures(features)(DUCKDB, from)})`,
  );
  const row = Object.values(found ?? {}).map((value) => (Array.isArray(value) ? String(value[0]) : String(value)));
  return readFeatureCounts(features, row).map((counts, i) =>
    featureDrift(`f${i}`, cases[i]?.reference ?? { edges: [], shares: [1], nulls: 0 }, counts),
  );
}

it('counts raw values as row by row: NaN as null, infinities in outer bins, texts by their bytes', async () => {
  const columns = fc
    .integer({ min: 1, max: 12 })
    .chain((rows) => fc.array(fc.oneof(numbers(rows), categories(rows), booleans(rows)), { minLength: 1, maxLength: 4 }));
  await fc.assert(
    fc.asyncProperty(columns, async (cases) => {
      const found = await driftOf(cases);
      for (const [i, { values, reference }] of cases.entries()) {
        const slow = slowDrift(values, reference);
        expect(found[i]?.psi).toBeCloseTo(slow.psi, 5);
        expect(found[i]?.nullShare).toBeCloseTo(slow.nullShare, 5);
      }
    }),
    { numRuns: 60 },
  );
});

it('compares a column with a collation by its bytes', async () => {
  const reference = { categories: { a: 0.5, A: 0.5 }, other: 0, nulls: 0 };
  const features = [{ feature: 'plan', column: { name: 'plan', type: 'string', native: 'VARCHAR' }, reference } as const];
  const from = `(SELECT CAST(plan AS VARCHAR) COLLATE NOCASE AS plan FROM (VALUES ('a'), ('a'), ('A'), ('b')) AS raw(plan))`;
  const [row] = await query(':memory:', countFeatures(features)(DUCKDB, from));
  expect(readFeatureCounts(features, Object.values(row ?? {}).map(String))).toEqual([{ rows: 4, present: 4, listed: [2, 1] }]);
});

it('divides features among statements of a bounded size', () => {
  const numeric = (bins: number): { reference: FeatureReference } => ({
    reference: {
      edges: Array.from({ length: bins - 1 }, (_, i) => i),
      shares: Array.from({ length: bins }, () => 1 / bins),
      nulls: 0,
    },
  });
  const long = (characters: number): { reference: FeatureReference } => ({
    reference: { categories: { ['x'.repeat(characters)]: 1 }, other: 0, nulls: 0 },
  });
  const sizes = (features: readonly { reference: FeatureReference }[]) => divideFeatures(features).map(({ length }) => length);
  expect(sizes([])).toEqual([]);
  expect(sizes(Array.from({ length: 120 }, () => numeric(10)))).toEqual([50, 50, 20]);
  expect(sizes(Array.from({ length: 5 }, () => numeric(400)))).toEqual([2, 2, 1]);
  expect(sizes([long(60_000), long(40_000), long(1), numeric(2000), numeric(1)])).toEqual([2, 1, 1, 1]);
  const features = Array.from({ length: 120 }, (_, i) => ({ ...numeric(10), name: i }));
  expect(divideFeatures(features).flat()).toEqual(features);
});
