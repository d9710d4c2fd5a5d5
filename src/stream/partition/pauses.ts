import type { Subscription } from '../log.ts';

/** Reasons not to read a partition: it is read again once it has none. */
type PauseReason = 'operator' | 'state' | 'restart';

export interface Pauses {
  add(partition: number, reason: PauseReason): void;
  remove(partition: number, reason: PauseReason): void;
  /** Call when the partition belongs to another process. */
  forget(partition: number): void;
  has(partition: number): boolean;
  /** Repeats the pause to the log, which may forget it after a rebalance. */
  apply(partition: number): void;
}

export function keepPauses(subscription: () => Pick<Subscription, 'pause' | 'resume'> | undefined): Pauses {
  const reasons = new Map<number, Set<PauseReason>>();
  return {
    add(partition, reason) {
      const own = reasons.get(partition) ?? new Set();
      reasons.set(partition, own.add(reason));
      subscription()?.pause([partition]);
    },
    remove(partition, reason) {
      const own = reasons.get(partition);
      if (own === undefined || !own.delete(reason) || own.size > 0) return;
      reasons.delete(partition);
      subscription()?.resume([partition]);
    },
    forget(partition) {
      // Otherwise the log would still pause it when it comes back.
      if (reasons.delete(partition)) subscription()?.resume([partition]);
    },
    has: (partition) => reasons.has(partition),
    apply(partition) {
      if (reasons.has(partition)) subscription()?.pause([partition]);
    },
  };
}
