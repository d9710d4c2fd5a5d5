import type { StagedAttempt } from '../../src/domain/attempt.ts';
import type { FrozenTable } from '../../src/domain/frozen-table.ts';
import { seededRandom } from '../../src/random.ts';
import { shareChunks } from '../../src/run/share.ts';
import { type MemoryProcess, startProcess } from './memory-process.ts';
import { virtualClock } from './virtual-clock.ts';
import { newWorld, type World } from './world.ts';

/** Seconds that things take, each from the first to the second. Assumed, not measured: what counts is how they compare. */
export const TIMES = { start: [0, 30], chunk: [10, 30], read: [0.5, 1.5], load: [2, 6], look: [0.5, 1.5] } as const;

/** A shard that ends as by SIGKILL. */
export interface Death {
  /** Counted from 0. */
  readonly shard: number;
  /** Seconds after the beginning. */
  readonly at: number;
  /** Seconds until the scheduler starts it again; undefined for never. */
  readonly restart: number | undefined;
}

export interface SimulationOptions {
  readonly shards: number;
  readonly chunks: number;
  /** Chunks that a shard scores at the same time. */
  readonly workers: number;
  readonly seed: number;
  readonly deaths?: readonly Death[];
  /** A shard that takes so many times as long as others for a chunk. */
  readonly slow?: { readonly shard: number; readonly factor: number };
}

export interface SimulationResult {
  /** Chunks that each shard staged, the work of its processes together. */
  readonly perShard: readonly number[];
  /** Chunks that were staged more than once, each time more counted. */
  readonly duplicates: number;
  /** Statements of all shards, by what they do. */
  readonly statements: Readonly<Record<'read' | 'load' | 'look', number>>;
  /** From the start of the first shard to the end of the last. */
  readonly seconds: number;
  /** What the shards would take if every chunk took the mean and none waited. */
  readonly idealSeconds: number;
  /** Chunks that nobody staged. */
  readonly missing: number;
  /** Shards whose last process ended by itself. */
  readonly ended: number;
}

/** `score --shard i/n` as so many processes, with the real decisions of `shareChunks`, a virtual clock and a virtual warehouse. */
export async function simulateShards(options: SimulationOptions): Promise<SimulationResult> {
  const { shards, chunks, workers, seed, deaths = [] } = options;
  const world = newWorld(virtualClock(), 'optimistic', []);
  const random = seededRandom(seed);
  const frozen = frozenInto(chunks);
  const staged: StagedAttempt[] = [];
  const perShard = new Array<number>(shards).fill(0);
  const between = ([least, most]: readonly [number, number]) => 1000 * (least + random() * (most - least));
  let ended = 0;
  let lastEnd = 0;
  const begin = async (shard: number, after: number): Promise<void> => {
    await world.clock.sleep(after);
    const name = `shard ${shard} from ${world.clock.now}`;
    const latency = (what: string) => between(TIMES[what as 'read' | 'load' | 'look']);
    const process = startProcess(world, { name, faults: [], random, latency });
    const slowness = options.slow?.shard === shard ? options.slow.factor : 1;
    const work = scoreShard(process, world, { frozen, shard: { index: shard, count: shards }, workers }, staged, {
      duration: () => slowness * between(TIMES.chunk),
      staged: () => {
        perShard[shard] = (perShard[shard] ?? 0) + 1;
      },
    });
    for (const { shard: dying, at, restart } of deaths) {
      if (dying !== shard || 1000 * at <= world.clock.now) continue;
      void world.clock.sleep(1000 * at - world.clock.now).then(() => {
        if (process.isDead) return;
        process.kill();
        if (restart !== undefined) void begin(shard, 1000 * restart);
      });
    }
    await work;
    ended += 1;
    lastEnd = world.clock.now;
  };
  for (let shard = 0; shard < shards; shard += 1) void begin(shard, between(TIMES.start));
  await world.clock.run();
  const count = (what: string) => world.statements.get(what) ?? 0;
  const distinct = new Set(staged.map(({ chunk }) => chunk)).size;
  const mean = (['chunk', 'read', 'load'] as const).reduce((sum, what) => sum + (TIMES[what][0] + TIMES[what][1]) / 2, 0);
  return {
    perShard,
    duplicates: staged.length - distinct,
    statements: { read: count('read'), load: count('load'), look: count('look') },
    seconds: lastEnd / 1000,
    idealSeconds: (chunks * mean) / Math.min(shards * workers, chunks),
    missing: chunks - distinct,
    ended,
  };
}

const ID = 'f'.repeat(12);
const SCORER = '0'.repeat(8);

function frozenInto(chunks: number): FrozenTable {
  const all = Array.from({ length: chunks }, (_, chunk) => ({ chunk, rows: 1, checksum: '0' }));
  return { id: ID, runId: 'run', columns: [], chunks: all, rows: chunks, divisions: chunks, hash: 'md5' };
}

/** What `scoreFrozen` does, with a worker that sleeps as long as it would work. */
async function scoreShard(
  process: MemoryProcess,
  world: World,
  part: Pick<Parameters<typeof shareChunks>[0], 'frozen' | 'shard' | 'workers'>,
  staged: StagedAttempt[],
  worker: { duration(): number; staged(): void },
): Promise<void> {
  const share = await shareChunks({
    ...part,
    scorer: SCORER,
    listStaged: () => process.ask('look', () => [...staged]),
    clock: { now: () => world.clock.now, sleep: process.sleep, random: process.random },
  });
  const { signal } = new AbortController();
  const lane = async (): Promise<void> => {
    for (let task = await share.next(signal); task !== undefined; task = await share.next(signal)) {
      const { chunk, rows } = task;
      await process.ask('read', () => undefined);
      await process.sleep(worker.duration());
      await process.ask('load', () => {
        staged.push({ chunk, attempt: `${ID}${SCORER}${process.name}: ${chunk}`, rows });
        worker.staged();
      });
      share.markStaged(chunk);
    }
  };
  await Promise.all(Array.from({ length: part.workers }, lane));
}
