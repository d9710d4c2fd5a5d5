import type { FrozenChunk } from './frozen-table.ts';

/** One of several processes that score the same frozen table; `index` counts from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** A process that was not told of others; there may be some all the same. */
export const ALONE: Shard = { index: 0, count: 1 };

/** What a process knows when it has a worker to spare. */
export interface SchedulerState {
  readonly shard: Shard;
  /** All chunks of the frozen table, in the order in which their owners take them. */
  readonly chunks: readonly FrozenChunk[];
  /** Chunks that are staged whole, as far as is known. */
  readonly done: ReadonlySet<number>;
  /** Chunks that this process took; none is taken twice. */
  readonly taken: ReadonlySet<number>;
  /** Chunks that every process is assumed to score at the same time. */
  readonly workers: number;
  /** Whether another process has had more than enough time for a chunk that it may be scoring. */
  readonly overdue: (chunk: number) => boolean;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** A chunk to score; `wait` where others are at all that is left; `over` where nothing is left to take. */
export type NextChunk = { readonly take: FrozenChunk } | 'wait' | 'over';

/**
 * The next chunk of a process: its own first, then what other shards will not come to soon, then what they are late with. Nobody
 * leases a chunk and nobody tells that it lives: two processes at one chunk waste a little work and harm nothing, as
 * one attempt of each chunk is published.
 */
export function nextChunk(state: SchedulerState): NextChunk {
  const { own, soon, later } = openChunks(state);
  if (own[0] !== undefined) return { take: own[0] };
  const late = soon.filter(({ chunk }) => state.overdue(chunk));
  for (const choice of [later, late]) {
    // At random: those who have nothing left of their own shall not all help with the same chunk.
    const take = choice[Math.floor(state.random() * choice.length)];
    if (take !== undefined) return { take };
  }
  return soon.length === 0 ? 'over' : 'wait';
}

/**
 * Chunks that are neither staged nor taken by this process: its own, those that other shards are at or will be at next, which
 * are the first of each, and the rest of theirs. The next are left to them too: nobody could be done with one before its
 * owner begins it.
 */
export function openChunks({ shard, chunks, done, taken, workers }: Omit<SchedulerState, 'overdue' | 'random'>) {
  const open: Record<'own' | 'soon' | 'later', FrozenChunk[]> = { own: [], soon: [], later: [] };
  const seen = new Map<number, number>();
  chunks.forEach((chunk, position) => {
    if (done.has(chunk.chunk) || taken.has(chunk.chunk)) return;
    const owner = position % shard.count;
    const before = seen.get(owner) ?? 0;
    seen.set(owner, before + 1);
    open[owner === shard.index ? 'own' : before < 2 * workers ? 'soon' : 'later'].push(chunk);
  });
  return open;
}
