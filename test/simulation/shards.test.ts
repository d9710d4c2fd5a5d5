import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Death, type SimulationResult, simulateShards, TIMES } from './shards.ts';

// The real decisions of src/run/share.ts; `npm run simulate` prints what they come to.

/** Seconds from taking a chunk to having it staged, at most. */
const LONGEST = TIMES.read[1] + TIMES.chunk[1] + TIMES.load[1];

const spread = ({ perShard }: SimulationResult): number => Math.max(...perShard) - Math.min(...perShard);

describe('shards that are all well', () => {
  it.each([
    [1, 1],
    [2, 1],
    [8, 1],
    [8, 4],
    [64, 1],
    [64, 4],
  ])('%i of %i workers score each chunk once, but for a few, and about as many each', async (shards, workers) => {
    const chunks = 640;
    const result = await simulateShards({ shards, chunks, workers, seed: shards });
    expect(result.missing).toBe(0);
    expect(result.ended).toBe(shards);
    // Two that help at the end may help with the same chunk; who has enough of its own helps nobody.
    expect(result.duplicates).toBeLessThanOrEqual(shards === 1 ? 0 : Math.max(shards, chunks / 20));
    expect(spread(result)).toBeLessThanOrEqual(4 + Math.ceil(chunks / shards / 4) + workers);
    // A shard looks at staging once in a while, and not once per chunk and worker.
    expect(result.statements.look).toBeLessThan(1.5 * chunks + 4 * shards);
    // They end together: after the mean of their work there is the start of the last, its chunks at that time and a few looks.
    expect(result.seconds).toBeLessThan(1.15 * result.idealSeconds + TIMES.start[1] + 3 * LONGEST + 20 * TIMES.look[1]);
  });

  it('looks grow with time and not with shards times chunks', async () => {
    const [few, many] = await Promise.all([
      simulateShards({ shards: 8, chunks: 100, workers: 1, seed: 1 }),
      simulateShards({ shards: 8, chunks: 400, workers: 1, seed: 1 }),
    ]);
    expect(many.statements.look).toBeLessThan(5 * few.statements.look);
  });
});

it('a shard that takes four times as long is helped by the others, and nobody waits for its share', async () => {
  const alone = await simulateShards({ shards: 8, chunks: 160, workers: 1, seed: 3 });
  const slow = await simulateShards({ shards: 8, chunks: 160, workers: 1, seed: 3, slow: { shard: 2, factor: 4 } });
  expect(slow.missing).toBe(0);
  expect(slow.perShard[2]).toBeLessThan(10);
  // Its twenty chunks would take it four times the time of the others.
  expect(slow.seconds).toBeLessThan(2 * alone.seconds);
});

it('whatever dies, and when, each chunk is staged as long as one shard lives, and little is done twice', async () => {
  const scenario = fc.integer({ min: 2, max: 12 }).chain((shards) =>
    fc.record({
      shards: fc.constant(shards),
      chunks: fc.integer({ min: 1, max: 60 }),
      workers: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer(),
      // The last shard lives.
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
      // Nobody takes a chunk twice, so at worst each of those that were started scores what each other one does.
      const processes = options.shards + options.deaths.filter(({ restart }) => restart !== undefined).length;
      expect(result.duplicates).toBeLessThanOrEqual(options.chunks * (processes - 1));
      expect(result.duplicates).toBeLessThanOrEqual(2 * options.workers * processes + options.chunks / 4);
    }),
    { numRuns: 100 },
  );
});
