import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Death, type SimulationResult, simulateShards, TIMES } from './shards.ts';

// Uses the real decisions of src/run/share.ts; `npm run simulate` prints the results.

/** Maximum seconds from taking a chunk to having it staged. */
const LONGEST = TIMES.read[1] + TIMES.chunk[1] + TIMES.load[1];

const spread = ({ perShard }: SimulationResult): number => Math.max(...perShard) - Math.min(...perShard);

describe('healthy shards', () => {
  it.each([
    [1, 1],
    [2, 1],
    [8, 1],
    [8, 4],
    [64, 1],
    [64, 4],
  ])('score each chunk once, with few exceptions, and about equally many: %i of %i workers', async (shards, workers) => {
    const chunks = 640;
    const result = await simulateShards({ shards, chunks, workers, seed: shards });
    expect(result.missing).toBe(0);
    expect(result.ended).toBe(shards);
    // Two shards that help at the end may pick the same chunk; a shard with chunks of its own does not help.
    expect(result.duplicates).toBeLessThanOrEqual(shards === 1 ? 0 : Math.max(shards, chunks / 20));
    expect(spread(result)).toBeLessThanOrEqual(4 + Math.ceil(chunks / shards / 4) + workers);
    // A shard lists staged chunks once in a while, not once per chunk and worker.
    expect(result.statements.look).toBeLessThan(1.5 * chunks + 4 * shards);
    // They end together: beyond the mean of the work, there are the last start, its chunks in progress and a few listings.
    expect(result.seconds).toBeLessThan(1.15 * result.idealSeconds + TIMES.start[1] + 3 * LONGEST + 20 * TIMES.look[1]);
  });

  it('list staged chunks in proportion to time, not to shards times chunks', async () => {
    const [few, many] = await Promise.all([
      simulateShards({ shards: 8, chunks: 100, workers: 1, seed: 1 }),
      simulateShards({ shards: 8, chunks: 400, workers: 1, seed: 1 }),
    ]);
    expect(many.statements.look).toBeLessThan(5 * few.statements.look);
  });
});

it('helps a shard that is four times slower, without waiting for its share', async () => {
  const alone = await simulateShards({ shards: 8, chunks: 160, workers: 1, seed: 3 });
  const slow = await simulateShards({ shards: 8, chunks: 160, workers: 1, seed: 3, slow: { shard: 2, factor: 4 } });
  expect(slow.missing).toBe(0);
  expect(slow.perShard[2]).toBeLessThan(10);
  // Alone, the slow shard would need four times as long for its twenty chunks.
  expect(slow.seconds).toBeLessThan(2 * alone.seconds);
});

it('stages every chunk as long as one shard survives, with little duplicate work', async () => {
  const scenario = fc.integer({ min: 2, max: 12 }).chain((shards) =>
    fc.record({
      shards: fc.constant(shards),
      chunks: fc.integer({ min: 1, max: 60 }),
      workers: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer(),
      // The last shard survives.
      deaths: fc.array(
        fc.record({
          shard: fc.nat(shards - 2),
          at: fc.nat(300),
          restart: fc.option(fc.nat(120), { nil: undefined }),
        }) satisfies fc.Arbitrary<Death>,
        { maxLength: 2 * shards },
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(scenario, async (options) => {
      const result = await simulateShards(options);
      expect(result.missing).toBe(0);
      expect(result.ended).toBeGreaterThan(0);
      // No process takes a chunk twice, so at worst each started process scores every chunk.
      const processes = options.shards + options.deaths.filter(({ restart }) => restart !== undefined).length;
      expect(result.duplicates).toBeLessThanOrEqual(options.chunks * (processes - 1));
      expect(result.duplicates).toBeLessThanOrEqual(2 * options.workers * processes + options.chunks / 4);
    }),
    { numRuns: 100 },
  );
});
