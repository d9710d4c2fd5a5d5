import { setTimeout as delay } from 'node:timers/promises';
import type { StagedAttempt } from '../domain/attempt.ts';
import type { FrozenChunk, FrozenTable } from '../domain/frozen-table.ts';
import { unstagedChunks } from '../domain/reconciliation.ts';
import { nextChunk, openChunks, type Shard } from '../domain/sharing.ts';

/** A process's way to its chunks, of which other processes of the run take theirs. */
export interface Share {
  /** Chunks that were staged when it was made. */
  readonly resumed: number;
  /** The next chunk to score; undefined once nothing is left. Several workers may ask at once. @param signal ends a wait */
  next(signal: AbortSignal): Promise<FrozenChunk | undefined>;
  /** To be told of each chunk that this process has staged. */
  staged(chunk: FrozenChunk['chunk']): void;
}

export interface ShareOptions {
  readonly frozen: FrozenTable;
  /** Id of the scorer of this process: it takes what others have scored otherwise for not scored. */
  readonly scorer: string;
  readonly shard: Shard;
  /** Chunks that this process scores at the same time. */
  readonly workers: number;
  /** Looks at what is staged, by whichever process. */
  readonly listStaged: () => Promise<readonly StagedAttempt[]>;
  /** Told of chunks that turn out to be staged by others. */
  readonly found: (chunks: number) => void;
  readonly clock?: Clock;
}

/** What a simulation replaces. */
export interface Clock {
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

const REAL: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
  },
  random: Math.random,
};

/** Looks at staging are at least so far apart, and so much longer than one takes: sharing must not cost more than it saves. */
const MIN_REFRESH_MS = 2_000;
const REFRESH_SPACING = 20;
/** Whatever a look takes: a warehouse that was slow once must not keep a process from what is done meanwhile. */
const MAX_REFRESH_MS = 60_000;

/**
 * Time that another shard gets for the chunks that it is at and for those that are next, in units of what the slowest of this
 * process took: both, and a little.
 */
const OVERDUE_FACTOR = 3;
/** Where this process has scored none to go by. */
const OVERDUE_MS = 30_000;

/** Looks at what is staged, and begins to share. See `nextMove` for who takes what. */
export async function shareChunks(options: ShareOptions): Promise<Share> {
  const { frozen, scorer, shard, workers, listStaged, found, clock = REAL } = options;
  const done = new Set<number>();
  const taken = new Map<number, number>();
  const waitedFor = new Map<number, number>();
  let slowest: number | undefined;
  let refreshedAt = 0;
  let pause = MIN_REFRESH_MS;
  const refresh = async (): Promise<number> => {
    const start = clock.now();
    const open = new Set(unstagedChunks(frozen, scorer, await listStaged()).map(({ chunk }) => chunk));
    refreshedAt = clock.now();
    pause = Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, REFRESH_SPACING * (refreshedAt - start)));
    const news = frozen.chunks.filter(({ chunk }) => !open.has(chunk) && !done.has(chunk));
    for (const { chunk } of news) done.add(chunk);
    return news.length;
  };
  let refreshing: Promise<void> | undefined;
  const refreshOnce = async (): Promise<void> => {
    refreshing ??= refresh()
      .then(found)
      .finally(() => {
        refreshing = undefined;
      });
    await refreshing;
  };
  const resumed = await refresh();
  const chunks = shard.count === 1 ? rotated(frozen.chunks, clock.random()) : frozen.chunks;
  const isOwn = (chunk: FrozenChunk) => chunks.indexOf(chunk) % shard.count === shard.index;
  const state = () => ({ shard, chunks, done, taken: new Set(taken.keys()), workers });
  const overdue = (chunk: number): boolean => {
    const since = waitedFor.get(chunk) ?? clock.now();
    return clock.now() - since > (slowest === undefined ? OVERDUE_MS : OVERDUE_FACTOR * slowest);
  };
  const decide = () => {
    for (const { chunk } of openChunks(state()).soon) if (!waitedFor.has(chunk)) waitedFor.set(chunk, clock.now());
    return nextChunk({ ...state(), overdue, random: clock.random });
  };
  return {
    resumed,
    async next(signal) {
      for (;;) {
        if (clock.now() - refreshedAt > pause) await refreshOnce();
        const move = decide();
        if (move === 'over') return undefined;
        if (move === 'wait') await clock.sleep(pause, signal);
        // What is another's is taken on fresh news only.
        else if (!isOwn(move.take) && clock.now() - refreshedAt > MIN_REFRESH_MS) await refreshOnce();
        else {
          taken.set(move.take.chunk, clock.now());
          return move.take;
        }
      }
    },
    staged(chunk) {
      done.add(chunk);
      slowest = Math.max(slowest ?? 0, clock.now() - (taken.get(chunk) ?? clock.now()));
    },
  };
}

/** From a place of its own, so that processes which do not know of each other meet at few chunks. */
function rotated<T>(items: readonly T[], random: number): T[] {
  const start = Math.floor(random * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
