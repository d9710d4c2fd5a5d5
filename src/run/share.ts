import { setTimeout as delay } from 'node:timers/promises';
import type { StagedAttempt } from '../domain/attempt.ts';
import type { FrozenChunk, FrozenTable } from '../domain/frozen-table.ts';
import { unstagedChunks } from '../domain/reconciliation.ts';
import { nextChunk, openChunks, type Shard } from '../domain/sharing.ts';

/** Hands out the run's chunks to this process, while other processes score other chunks. */
export interface Share {
  /** Attempts that were staged at the start. */
  readonly staged: readonly StagedAttempt[];
  /** Chunks that were complete at the start. */
  readonly resumed: number;
  /** Rows of the chunks that were complete at the start. */
  readonly resumedRows: number;
  /**
   * The next chunk to score; undefined once none is left. Several workers may ask concurrently.
   *
   * @param signal ends the wait
   * @param found receives the number of rows that others have staged since staging was last listed
   */
  next(signal: AbortSignal, found?: (rows: number) => void): Promise<FrozenChunk | undefined>;
  /** Must be called for each chunk that this process has staged. */
  markStaged(chunk: FrozenChunk['chunk']): void;
}

export interface ShareOptions {
  readonly frozen: FrozenTable;
  /** Id of this process's scorer. Chunks of other scorers count as not scored. */
  readonly scorer: string;
  readonly shard: Shard;
  /** Chunks that this process scores concurrently. */
  readonly workers: number;
  /** Lists what all processes have staged. */
  readonly listStaged: () => Promise<readonly StagedAttempt[]>;
  readonly clock?: Clock;
}

/** Replaced in simulations. */
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

/**
 * Least time between two listings of staging. A slow listing increases it, so that sharing does not cost more than it saves.
 */
const MIN_REFRESH_MS = 2_000;
/** Time between two listings, as a multiple of the last one's duration. */
const REFRESH_SPACING = 20;
/** Most time between two listings: one slow answer must not hide the progress of others for long. */
const MAX_REFRESH_MS = 60_000;

/**
 * Time given to another shard for its current and next chunks, as a multiple of this process's slowest chunk: one for each of
 * the two, plus a margin.
 */
const OVERDUE_FACTOR = 3;
/** The same if this process has not scored any chunk yet. */
const OVERDUE_MS = 30_000;

/** Lists staging, and begins to share. `nextChunk` decides which process scores which chunk. */
export async function shareChunks(options: ShareOptions): Promise<Share> {
  const { frozen, scorer, shard, workers, listStaged, clock = REAL } = options;
  const done = new Set<number>();
  const taken = new Map<number, number>();
  const waitedFor = new Map<number, number>();
  let slowest: number | undefined;
  let refreshedAt = 0;
  let pause = MIN_REFRESH_MS;
  const refresh = async () => {
    const start = clock.now();
    const staged = await listStaged();
    const open = new Set(unstagedChunks(frozen, scorer, staged).map(({ chunk }) => chunk));
    refreshedAt = clock.now();
    pause = Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, REFRESH_SPACING * (refreshedAt - start)));
    const news = frozen.chunks.filter(({ chunk }) => !open.has(chunk) && !done.has(chunk));
    for (const { chunk } of news) done.add(chunk);
    return { staged, news };
  };
  let refreshing: Promise<void> | undefined;
  const refreshOnce = async (found: (rows: number) => void): Promise<void> => {
    refreshing ??= refresh()
      .then(({ news }) => found(rowsOf(news)))
      .finally(() => {
        refreshing = undefined;
      });
    await refreshing;
  };
  const { staged, news: resumed } = await refresh();
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
    staged,
    resumed: resumed.length,
    resumedRows: rowsOf(resumed),
    async next(signal, found = () => undefined) {
      for (;;) {
        if (clock.now() - refreshedAt > pause) await refreshOnce(found);
        const move = decide();
        if (move === 'over') return undefined;
        if (move === 'wait') await clock.sleep(pause, signal);
        // Before taking another shard's chunk, make sure that nobody has staged it.
        else if (!isOwn(move.take) && clock.now() - refreshedAt > MIN_REFRESH_MS) await refreshOnce(found);
        else {
          taken.set(move.take.chunk, clock.now());
          return move.take;
        }
      }
    },
    markStaged(chunk) {
      done.add(chunk);
      slowest = Math.max(slowest ?? 0, clock.now() - (taken.get(chunk) ?? clock.now()));
    },
  };
}

function rowsOf(chunks: readonly FrozenChunk[]): number {
  return chunks.reduce((sum, { rows }) => sum + rows, 0);
}

/** Starts at a random chunk, so that processes unaware of each other rarely score the same one. */
function rotated<T>(items: readonly T[], random: number): T[] {
  const start = Math.floor(random * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
