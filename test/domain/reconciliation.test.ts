import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AttemptTally, pinAttempts, unstagedChunks } from '../../src/domain/reconciliation.ts';

const ID = 'f'.repeat(12);
const CHUNKS = [
  { chunk: 0, rows: 3, checksum: '30' },
  { chunk: 1, rows: 2, checksum: '20' },
];
const [OLD, NEW] = ['00000000', '11111111'];

type Counts = readonly [rows: number, checksum: string];

function attempt(chunk: number, ending: string, [rows, checksum]: Counts, { scorer = OLD, frozen = ID } = {}): AttemptTally {
  const id = `${frozen}${scorer}${ending}`;
  return { chunk, attempt: id, rows, scored: rows, checksum, provider: 'cpu', facts: undefined, content: '' };
}

function pinned(...attempts: AttemptTally[]) {
  const { pinned: kept, missing, mismatched } = pinAttempts({ id: ID, chunks: CHUNKS }, attempts);
  return { pinned: kept.map(({ attempt: id }) => id.slice(-1)), missing, mismatched };
}

it('pins one complete attempt per chunk, the lowest id of several', () => {
  const attempts = [attempt(0, 'c', [3, '30']), attempt(1, 'b', [2, '20']), attempt(0, 'a', [3, '30'])];
  expect(pinned(...attempts)).toEqual({ pinned: ['a', 'b'], missing: [], mismatched: [] });
  expect(pinned(...attempts.toReversed())).toEqual(pinned(...attempts));
});

it('reports a chunk without a complete attempt as missing', () => {
  expect(pinned(attempt(0, 'a', [3, '30']))).toEqual({ pinned: ['a'], missing: [1], mismatched: [] });
  // Half an attempt, one with a row too many, and one of a chunk that was never frozen.
  expect(pinned(attempt(0, 'a', [2, '20']), attempt(0, 'b', [4, '30']), attempt(7, 'c', [3, '30']))).toEqual({
    pinned: [],
    missing: [0, 1],
    mismatched: [],
  });
});

it('reports a chunk with the right number of rows but the wrong keys as mismatched, unless another attempt agrees', () => {
  const wrong = [attempt(0, 'a', [3, '31']), attempt(1, 'b', [2, '20'])];
  expect(pinned(...wrong)).toEqual({ pinned: ['b'], missing: [], mismatched: [0] });
  expect(pinned(...wrong, attempt(0, 'z', [3, '30']))).toEqual({ pinned: ['z', 'b'], missing: [], mismatched: [] });
});

it('ignores attempts of another frozen table, even with equal rows and keys', () => {
  const strangers = [
    attempt(0, 'a', [3, '30'], { frozen: '0'.repeat(12) }),
    attempt(1, 'b', [2, '20'], { frozen: '0'.repeat(12) }),
  ];
  expect(pinned(...strangers)).toEqual({ pinned: [], missing: [0, 1], mismatched: [] });
  expect(unstagedChunks({ id: ID, chunks: CHUNKS }, OLD, strangers)).toEqual(CHUNKS);
});

it('never pins scores of two scorers together: it takes the one that covers the most chunks', () => {
  const mixed = [
    attempt(0, 'a', [3, '30'], { scorer: OLD }),
    attempt(1, 'b', [2, '20'], { scorer: NEW }),
    attempt(0, 'c', [3, '30'], { scorer: NEW }),
  ];
  expect(pinned(...mixed)).toEqual({ pinned: ['c', 'b'], missing: [], mismatched: [] });
  expect(pinned(...mixed.slice(0, 2)).missing).toHaveLength(1);
  // If two cover as much, a process publishes its own.
  const both = [...mixed, attempt(1, 'd', [2, '20'], { scorer: OLD })];
  expect(pinned(...both).pinned).toEqual(['a', 'd']);
  expect(pinAttempts({ id: ID, chunks: CHUNKS }, both, NEW).pinned.map(({ attempt: id }) => id.slice(-1))).toEqual(['c', 'b']);
  // Chunks of another scorer are scored again.
  expect(unstagedChunks({ id: ID, chunks: CHUNKS }, OLD, mixed).map(({ chunk }) => chunk)).toEqual([1]);
});

it('puts every chunk in exactly one of pinned, missing and mismatched', () => {
  const chunks = fc.uniqueArray(fc.record({ chunk: fc.nat(5), rows: fc.nat(2), checksum: fc.constantFrom('1', '2') }), {
    selector: ({ chunk }) => chunk,
    maxLength: 6,
  });
  const attempts = fc.array(
    fc
      .tuple(fc.nat(5), fc.constantFrom('a', 'b', 'c'), fc.tuple(fc.nat(2), fc.constantFrom('1', '2')))
      .map((parts) => attempt(...parts)),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(chunks, attempts, (frozen, staged) => {
      const { pinned: chosen, missing, mismatched } = pinAttempts({ id: ID, chunks: frozen }, staged);
      expect([...chosen.map(({ chunk }) => chunk), ...missing, ...mismatched].sort()).toEqual(
        frozen.map(({ chunk }) => chunk).sort(),
      );
      for (const { chunk, rows, checksum } of chosen) expect(frozen).toContainEqual({ chunk, rows, checksum });
      // Only missing chunks are scored again.
      expect(unstagedChunks({ id: ID, chunks: frozen }, OLD, staged).map(({ chunk }) => chunk)).toEqual(missing);
    }),
  );
});
