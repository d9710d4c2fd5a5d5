import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALONE, nextChunk, type SchedulerState } from '../../src/domain/sharing.ts';

const chunksOf = (count: number) => Array.from({ length: count }, (_, chunk) => ({ chunk, rows: 1, checksum: '0' }));

function standing(overrides: Partial<SchedulerState> = {}): SchedulerState {
  return {
    shard: { index: 0, count: 2 },
    chunks: chunksOf(8),
    done: new Set(),
    taken: new Set(),
    workers: 1,
    overdue: () => false,
    random: () => 0,
    ...overrides,
  };
}

const taken = (move: ReturnType<typeof nextChunk>) => (typeof move === 'string' ? move : move.take.chunk);

describe('nextMove', () => {
  it('takes its own chunks first, in order', () => {
    expect(taken(nextChunk(standing()))).toBe(0);
    expect(taken(nextChunk(standing({ taken: new Set([0]) })))).toBe(2);
    expect(taken(nextChunk(standing({ shard: { index: 1, count: 2 }, done: new Set([1, 3]) })))).toBe(5);
  });

  it('then takes what the other is not at, and leaves it the chunk that it may be scoring and the one after it', () => {
    const done = new Set([0, 2, 4, 6]);
    expect(taken(nextChunk(standing({ done })))).toBe(5);
    expect(taken(nextChunk(standing({ done, random: () => 0.99 })))).toBe(7);
    expect(nextChunk(standing({ done: new Set([...done, 5, 7]) }))).toBe('wait');
  });

  it('takes over what the other is late with', () => {
    const done = new Set([0, 2, 3, 4, 5, 6, 7]);
    expect(taken(nextChunk(standing({ done, overdue: () => true })))).toBe(1);
  });

  it('is over once everything is staged, or in its own hands', () => {
    expect(nextChunk(standing({ done: new Set([0, 1, 2, 3, 4, 5, 6, 7]) }))).toBe('over');
    expect(nextChunk(standing({ done: new Set([0, 1, 2, 3]), taken: new Set([4, 5, 6, 7]) }))).toBe('over');
    expect(nextChunk(standing({ chunks: [] }))).toBe('over');
  });

  it('never waits for others where there are none', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: 8 }), (count, workers) => {
        const took: number[] = [];
        const own = new Set<number>();
        for (;;) {
          const move = nextChunk(standing({ shard: ALONE, chunks: chunksOf(count), taken: own, workers }));
          if (typeof move === 'string') return move === 'over' && took.length === count;
          took.push(move.take.chunk);
          own.add(move.take.chunk);
        }
      }),
    );
  });

  it('lets any one shard finish everything alone, whatever the others do', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.integer({ min: 1, max: 9 }), fc.nat(8), (count, shards, index) => {
        const own = new Set<number>();
        const shard = { index: index % shards, count: shards };
        for (;;) {
          const move = nextChunk(
            standing({ shard, chunks: chunksOf(count), taken: own, workers: 2, overdue: () => true, random: Math.random }),
          );
          if (typeof move === 'string') return move === 'over' && own.size === count;
          own.add(move.take.chunk);
        }
      }),
    );
  });
});
