import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AttemptTally, pinAttempts, unstagedChunks } from '../../src/domain/reconciliation.ts';

const ID = 'f'.repeat(12);
const CHUNKS = [
  { chunk: 0, rows: 3, checksum: '30' },
  { chunk: 1, rows: 2, checksum: '20' },
];
const [OLD, NEW] = ['00000000', '11111111'];

function attempt(chunk: number, ending: string, rows: number, checksum: string, scorer = OLD, frozen = ID): AttemptTally {
  const id = `${frozen}${scorer}${ending}`;
  return { chunk, attempt: id, rows, scored: rows, checksum, provider: 'cpu', facts: undefined, content: '' };
}

function pinned(...attempts: AttemptTally[]) {
  const { pinned: kept, missing, mismatched } = pinAttempts({ id: ID, chunks: CHUNKS }, attempts);
  return { pinned: kept.map(({ attempt: id }) => id.slice(-1)), missing, mismatched };
}

it('pins one complete attempt of each chunk, the lowest id of several', () => {
  const attempts = [attempt(0, 'c', 3, '30'), attempt(1, 'b', 2, '20'), attempt(0, 'a', 3, '30')];
  expect(pinned(...attempts)).toEqual({ pinned: ['a', 'b'], missing: [], mismatched: [] });
  expect(pinned(...attempts.toReversed())).toEqual(pinned(...attempts));
});

it('a chunk without an attempt of all its rows is missing', () => {
  expect(pinned(attempt(0, 'a', 3, '30'))).toEqual({ pinned: ['a'], missing: [1], mismatched: [] });
  // Half an attempt, one with a row too many, and one of a chunk that was never frozen.
  expect(pinned(attempt(0, 'a', 2, '20'), attempt(0, 'b', 4, '30'), attempt(7, 'c', 3, '30'))).toEqual({
    pinned: [],
    missing: [0, 1],
    mismatched: [],
  });
});

it('a chunk with the right number of rows and other keys is mismatched, unless another attempt agrees', () => {
  const wrong = [attempt(0, 'a', 3, '31'), attempt(1, 'b', 2, '20')];
  expect(pinned(...wrong)).toEqual({ pinned: ['b'], missing: [], mismatched: [0] });
  expect(pinned(...wrong, attempt(0, 'z', 3, '30'))).toEqual({ pinned: ['z', 'b'], missing: [], mismatched: [] });
});

it('an attempt of another frozen table is none of this run, though rows and keys are equal', () => {
  const strangers = [attempt(0, 'a', 3, '30', OLD, '0'.repeat(12)), attempt(1, 'b', 2, '20', OLD, '0'.repeat(12))];
  expect(pinned(...strangers)).toEqual({ pinned: [], missing: [0, 1], mismatched: [] });
  expect(unstagedChunks({ id: ID, chunks: CHUNKS }, OLD, strangers)).toEqual(CHUNKS);
});

it('scores of two scorers are never pinned together: the one that covers most chunks is', () => {
  const mixed = [attempt(0, 'a', 3, '30', OLD), attempt(1, 'b', 2, '20', NEW), attempt(0, 'c', 3, '30', NEW)];
  expect(pinned(...mixed)).toEqual({ pinned: ['c', 'b'], missing: [], mismatched: [] });
  expect(pinned(...mixed.slice(0, 2)).missing).toHaveLength(1);
  // Of two that cover as much, a process publishes its own.
  const both = [...mixed, attempt(1, 'd', 2, '20', OLD)];
  expect(pinned(...both).pinned).toEqual(['a', 'd']);
  expect(pinAttempts({ id: ID, chunks: CHUNKS }, both, NEW).pinned.map(({ attempt: id }) => id.slice(-1))).toEqual(['c', 'b']);
  // What another scorer did is scored again.
  expect(unstagedChunks({ id: ID, chunks: CHUNKS }, OLD, mixed).map(({ chunk }) => chunk)).toEqual([1]);
});

it('what is pinned are the frozen rows exactly: every chunk is pinned once, missing or mismatched', () => {
  const chunks = fc.uniqueArray(fc.record({ chunk: fc.nat(5), rows: fc.nat(2), checksum: fc.constantFrom('1', '2') }), {
    selector: ({ chunk }) => chunk,
    maxLength: 6,
  });
  const attempts = fc.array(
    fc.tuple(fc.nat(5), fc.constantFrom('a', 'b', 'c'), fc.nat(2), fc.constantFrom('1', '2')).map((parts) => attempt(...parts)),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(chunks, attempts, (frozen, staged) => {
      const { pinned: chosen, missing, mismatched } = pinAttempts({ id: ID, chunks: frozen }, staged);
      expect([...chosen.map(({ chunk }) => chunk), ...missing, ...mismatched].sort()).toEqual(
        frozen.map(({ chunk }) => chunk).sort(),
      );
      for (const { chunk, rows, checksum } of chosen) expect(frozen).toContainEqual({ chunk, rows, checksum });
      // What is scored again is what is missing, and no more.
      expect(unstagedChunks({ id: ID, chunks: frozen }, OLD, staged).map(({ chunk }) => chunk)).toEqual(missing);
    }),
  );
});
