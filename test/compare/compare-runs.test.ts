import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePublications } from '../../src/compare/compare-runs.ts';
import type { ScoredRows } from '../../src/compare/scored-rows.ts';
import type { Bands } from '../../src/domain/bands.ts';
import type { SideFacts } from '../../src/domain/comparison.ts';
import { openDatabase } from '../../src/duckdb/database.ts';
import { literal } from '../../src/duckdb/sql.ts';
import { DUCKDB } from '../../src/warehouse/duckdb/dialect.ts';
import type { TableReader, TextRow } from '../../src/warehouse/reader.ts';
import { bandsByShare, compareKeys, pairsOf, quantiles, spearman, topDecileOverlap, type User } from './brute-force.ts';

const KEY: ScoredRows['key'] = [
  { name: 'shop', type: 'string' },
  { name: 'customer', type: 'integer' },
];

const BANDS: Bands = {
  by: 'share',
  bounds: [
    { name: 'high', bound: 100_000 },
    { name: 'medium', bound: 333_333 },
  ],
  rest: 'low',
};

function facts(name: string): SideFacts {
  const window = { label: '2026-W46', start: '2026-11-09T00:00:00.000Z', end: '2026-11-16T00:00:00.000Z' };
  const model = { name: 'm', version: '1', digest: 'd' };
  return { name, job: 'j', window, run_id: name, publication: 1, rows: 'published', model };
}

function rowsOf(users: readonly User[]): ScoredRows {
  const values = users.map(({ key: [shop, customer], score }) => `(${literal(String(shop))}, ${customer}, ${score})`);
  const none = 'SELECT NULL::VARCHAR AS key_0, NULL::BIGINT AS key_1, NULL::BIGINT AS millionths WHERE false';
  const select =
    users.length === 0
      ? none
      : `SELECT key_0, key_1::BIGINT AS key_1, millionths::BIGINT AS millionths
         FROM (VALUES ${values.join(', ')}) v(key_0, key_1, millionths)`;
  return { select, key: KEY, banded: false };
}

async function reading<T>(work: (reader: TableReader) => Promise<T>): Promise<T> {
  await using database = await openDatabase(':memory:', { memory: 2 ** 28, temporary: tmpdir() });
  return await work({
    dialect: DUCKDB,
    find: async () => undefined,
    rows: async (sql) => (await database.rows(sql)) as TextRow[],
  });
}

const compare = (a: readonly User[], b: readonly User[], bands = BANDS, largest = 5) =>
  reading((reader) =>
    comparePublications(reader, {
      a: { facts: facts('a'), rows: rowsOf(a) },
      b: { facts: facts('b'), rows: rowsOf(b) },
      ...{ bands: { a: bands, b: bands }, largest },
    }),
  );

/** Users with few distinct scores, so that many are equal, and some in one side only. */
const side = fc
  .uniqueArray(fc.tuple(fc.constantFrom('Zürich', 'Aarau', 'z', "d'Or"), fc.integer({ min: 0, max: 40 })), {
    maxLength: 60,
    selector: (key) => key.join(' '),
  })
  .chain((keys) =>
    fc.tuple(
      ...keys.map((key) =>
        fc
          .oneof(fc.constantFrom(0, 1, 500_000, 1_000_000), fc.integer({ min: 0, max: 1_000_000 }))
          .map((score): User => ({ key, score })),
      ),
    ),
  );

const close = (value: number) => expect.closeTo(value, 8);

describe('comparePublications', () => {
  it('agrees with the plainest computation, with equal scores, users of one side, and sides without users', async () => {
    await fc.assert(
      fc.asyncProperty(side, side, async (a, b) => {
        const found = await compare(a, b);
        const pairs = pairsOf(a, b);
        const n = pairs.length;
        const share = (of: number) => (of === 0 ? null : close(n / of));
        expect(found.coverage).toEqual({
          ...{ both: n, only_a: a.length - n, only_b: b.length - n },
          ...{ of_a: share(a.length), of_b: share(b.length) },
        });
        for (const [users, one] of [[a, found.a] as const, [b, found.b] as const]) {
          expect(one.users).toBe(users.length);
          const scores = users.map(({ score }) => score);
          expect(one.mean_score).toEqual(
            users.length === 0 ? null : close(scores.reduce((sum, score) => sum + score, 0) / users.length / 1e6),
          );
          expect(one.quantiles).toEqual(users.length === 0 ? [] : quantiles(scores));
        }
        if (n === 0) {
          expect(found).toMatchObject({ differences: null, ranks: null, bands: null, largest: [] });
          return;
        }
        const changes = pairs.map((pair) => pair.b.score - pair.a.score);
        const sum = (term: (change: number) => number) => changes.reduce((total, change) => total + term(change), 0);
        expect(found.differences).toEqual({
          users: n,
          mean: close(sum((change) => change) / n / 1e6),
          mean_absolute: close(sum(Math.abs) / n / 1e6),
          max_absolute: Math.max(...changes.map(Math.abs)) / 1e6,
          equal: sum((change) => (change === 0 ? 1 : 0)),
          much_higher: sum((change) => (change > 100_000 ? 1 : 0)),
          much_lower: sum((change) => (change < -100_000 ? 1 : 0)),
          quantiles: quantiles(changes),
        });
        const largest = pairs
          .filter((pair) => pair.a.score !== pair.b.score)
          .sort(
            (one, other) =>
              Math.abs(other.b.score - other.a.score) - Math.abs(one.b.score - one.a.score) ||
              compareKeys(one.a.key, other.a.key),
          )
          .slice(0, 5);
        expect(found.largest.map(({ key, score_a, score_b }) => ({ key, score_a, score_b }))).toEqual(
          largest.map((pair) => ({
            ...{ key: pair.a.key.map(String), score_a: pair.a.score / 1e6, score_b: pair.b.score / 1e6 },
          })),
        );
        if (n >= 2) {
          const rho = spearman(pairs);
          expect(found.ranks).toEqual({
            top_decile_overlap: close(topDecileOverlap(pairs)),
            spearman: Number.isNaN(rho) ? null : close(rho),
          });
        }
        const bounds = [
          { name: 'high', share: 0.1 },
          { name: 'medium', share: 0.333_333 },
        ];
        const [ofA, ofB] = [bandsByShare(a, bounds, 'low'), bandsByShare(b, bounds, 'low')];
        const moves = new Map<string, number>();
        for (const pair of pairs) {
          const key = JSON.stringify(pair.a.key);
          const move = `${ofA.get(key)} → ${ofB.get(key)}`;
          moves.set(move, (moves.get(move) ?? 0) + 1);
        }
        const shown = found.bands?.moves.map(({ from, to, users }) => [`${from} → ${to}`, users] as const);
        expect(new Map(shown)).toEqual(moves);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('finds nothing to say of a side compared with itself', async () => {
    const users = Array.from({ length: 95 }, (_, i): User => ({ key: ['s', i], score: (i % 7) * 1000 }));
    const found = await compare(users, users);
    expect(found).toMatchObject({
      coverage: { both: 95, only_a: 0, only_b: 0, of_a: 1, of_b: 1 },
      differences: { mean: 0, mean_absolute: 0, max_absolute: 0, equal: 95 },
      largest: [],
      ranks: { top_decile_overlap: 1, spearman: 1 },
      bands: { names: ['high', 'medium', 'low'], moved: 0 },
      psi: 0,
    });
  });

  it('puts users into bands by threshold, and measures drift by ten bins of A', async () => {
    const bands: Bands = { by: 'threshold', bounds: [{ name: 'high', bound: 500_000 }], rest: 'low' };
    const a = Array.from({ length: 100 }, (_, i): User => ({ key: ['s', i], score: i * 10_000 }));
    const b = a.map(({ key, score }): User => ({ key, score: Math.min(1_000_000, score + 200_000) }));
    const found = await compare(a, b, bands);
    expect(found.bands?.moves).toEqual([
      { from: 'high', to: 'high', users: 50 },
      { from: 'low', to: 'high', users: 20 },
      { from: 'low', to: 'low', users: 30 },
    ]);
    expect(found.bands?.moved).toBe(0.2);
    // Two empty tenths, floored at 0.0001, and one with three tenths of the users.
    const term = (p: number, q: number) => (p - q) * Math.log(p / q);
    expect(found.psi).toBeCloseTo(2 * term(0.0001, 0.1) + term(0.3, 0.1), 8);
  });

  it('refuses keys that cannot be compared', async () => {
    const other = { ...rowsOf([]), key: [{ name: 'customer', type: 'integer' as const }] };
    await expect(
      reading((reader) =>
        comparePublications(reader, {
          a: { facts: facts('a'), rows: rowsOf([]) },
          b: { facts: facts('b'), rows: other },
          bands: { a: BANDS, b: BANDS },
        }),
      ),
    ).rejects.toMatchObject({
      kind: 'configuration',
      message:
        'a has the key shop (string), customer (integer), but b has customer (integer), so their users cannot be matched',
    });
  });
});
