import { describe, expect, it } from 'vitest';
import type { StagedAttempt } from '../../src/domain/attempt.ts';
import type { Shard } from '../../src/domain/sharing.ts';
import { type Share, shareChunks } from '../../src/run/share.ts';

// Time is made: what is tested is who takes what, and when somebody looks.

const SECOND = 1000;
const ID = 'f'.repeat(12);
const SCORER = '0'.repeat(8);
const { signal } = new AbortController();

function staging(chunks: number) {
  const frozen = {
    id: ID,
    runId: 'run',
    columns: [],
    rows: chunks,
    divisions: chunks,
    hash: 'md5' as const,
    chunks: Array.from({ length: chunks }, (_, chunk) => ({ chunk, rows: 1, checksum: '0' })),
  };
  const staged: StagedAttempt[] = [];
  let now = 0;
  let looks = 0;
  const pass = (ms: number) => {
    now += ms;
  };
  return {
    staged,
    pass,
    looks: () => looks,
    now: () => now,
    /** @param duration of a look, milliseconds */
    share: (shard: Shard, duration = 0): Promise<Share> =>
      shareChunks({
        frozen,
        scorer: SCORER,
        shard,
        workers: 1,
        listStaged: async () => {
          looks += 1;
          pass(duration);
          return [...staged];
        },
        clock: { now: () => now, random: () => 0, sleep: async (ms) => pass(ms) },
      }),
  };
}

const stage = (world: ReturnType<typeof staging>, share: Share | undefined, chunk: number) => {
  world.staged.push({ chunk, attempt: `${ID}${SCORER}a`, rows: 1 });
  share?.markStaged(chunk);
};

describe('shareChunks', () => {
  it('looks once where it is quick, however many chunks there are', async () => {
    const world = staging(500);
    const share = await world.share({ index: 0, count: 1 });
    for (let chunk = await share.next(signal); chunk !== undefined; chunk = await share.next(signal))
      stage(world, share, chunk.chunk);
    expect(world.staged).toHaveLength(500);
    expect(world.looks()).toBe(1);
  });

  it('passes over what others have staged meanwhile, and tells of it', async () => {
    const world = staging(4);
    const news: number[] = [];
    const share = await world.share({ index: 0, count: 1 });
    const found = (rows: number) => news.push(rows);
    expect((await share.next(signal))?.chunk).toBe(0);
    stage(world, share, 0);
    for (const chunk of [1, 2]) stage(world, undefined, chunk);
    world.pass(10 * SECOND);
    expect((await share.next(signal, found))?.chunk).toBe(3);
    expect(news).toEqual([2]);
  });

  it('waits for what another shard may be scoring, and takes it over when that is late', async () => {
    const world = staging(6);
    const share = await world.share({ index: 0, count: 2 });
    for (const chunk of [0, 2, 4]) {
      expect((await share.next(signal))?.chunk).toBe(chunk);
      world.pass(3 * SECOND);
      stage(world, share, chunk);
    }
    // The other one is dead: its third chunk is taken at once, the one that it may be at and the next after a while.
    expect((await share.next(signal))?.chunk).toBe(5);
    stage(world, share, 5);
    const before = world.now();
    for (const chunk of [1, 3]) {
      expect((await share.next(signal))?.chunk).toBe(chunk);
      stage(world, share, chunk);
    }
    expect(world.now() - before).toBeGreaterThan(0);
    expect(await share.next(signal)).toBeUndefined();
  });

  it('is over when the other shard comes with the last one', async () => {
    const world = staging(2);
    const share = await world.share({ index: 0, count: 2 });
    expect((await share.next(signal))?.chunk).toBe(0);
    stage(world, share, 0);
    stage(world, undefined, 1);
    world.pass(10 * SECOND);
    expect(await share.next(signal)).toBeUndefined();
  });
});

it('looks again within a minute, however long a look took once', async () => {
  const world = staging(2);
  const share = await world.share({ index: 0, count: 2 }, 300 * SECOND);
  expect((await share.next(signal))?.chunk).toBe(0);
  stage(world, share, 0);
  stage(world, undefined, 1);
  const before = world.now();
  expect(await share.next(signal)).toBeUndefined();
  expect(world.now() - before).toBeLessThan(400 * SECOND);
});
