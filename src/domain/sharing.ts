import type { FrozenChunk } from './frozen-table.ts';

/** One of several processes that score the same frozen table; `index` counts from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The default without `--shard`. Other processes may score the same run anyway. */
export const ALONE: Shard = { index: 0, count: 1 };

/** What a process knows when a worker is free. */
export interface SchedulerState {
  readonly shard: Shard;
  /** All chunks of the frozen table, in the order in which shards take them. */
  readonly chunks: readonly FrozenChunk[];
  /** Chunks known to be staged completely. */
  readonly done: ReadonlySet<number>;
  /** Chunks that this process has taken; it takes none twice. */
  readonly taken: ReadonlySet<number>;
  /** Chunks that each process is assumed to score at the same time. */
  readonly workers: number;
  /** Whether another process has had more than enough time to finish a chunk. */
  readonly overdue: (chunk: number) => boolean;
  /** Returns a number in [0, 1), like Math.random. */
  readonly random: () => number;
}

/** A chunk to score; `wait` if other processes are scoring all that is left; `over` if nothing is left. */
export type NextChunk = { readonly take: FrozenChunk } | 'wait' | 'over';

/**
 * The next chunk for a process: its own first, then those that other shards will not reach soon, then those that are
 * overdue. There are no leases and no heartbeats: if two processes score the same chunk, that wastes a little work and does
 * no harm, since one attempt per chunk is published.
 */
export function nextChunk(state: SchedulerState): NextChunk {
  const { own, soon, later } = openChunks(state);
  if (own[0] !== undefined) return { take: own[0] };
  const late = soon.filter(({ chunk }) => state.overdue(chunk));
  for (const choice of [later, late]) {
    // At random, so that idle processes do not all pick the same chunk.
    const take = choice[Math.floor(state.random() * choice.length)];
    if (take !== undefined) return { take };
  }
  return soon.length === 0 ? 'over' : 'wait';
}

/**
 * Chunks that are neither staged nor taken by this process: `own`; `soon`, the first few of each other shard, which it is
 * scoring or will score next; and `later`, the rest. The chunks that come next stay with their owner, since no other process
 * could finish one before the owner starts it.
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
