import type { TopicFacts } from '../log.ts';

/** Tracks when each partition has been read up to its end at the start. */
export interface TopicEnds {
  readonly all: Promise<void>;
  reached(partition: number, next: number): void;
  /** Partitions that have not reached it, for people; empty if all have. */
  behind(read: ReadonlyMap<number, number>): string;
}

export function topicEnds({ partitions }: TopicFacts): TopicEnds {
  const ends = new Map(partitions.filter(({ begin, end }) => begin < end).map(({ partition, end }) => [partition, end]));
  const { promise, resolve } = withResolvers();
  if (ends.size === 0) resolve();
  return {
    all: promise,
    reached(partition, next) {
      const end = ends.get(partition);
      if (end === undefined || next < end) return;
      ends.delete(partition);
      if (ends.size === 0) resolve();
    },
    behind: (read) =>
      [...ends].map(([partition, end]) => `partition ${partition} is at ${read.get(partition) ?? 0} of ${end}`).join(', '),
  };
}

// Promise.withResolvers is not in Node 20.
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
