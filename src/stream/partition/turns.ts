/** Serializes work on a partition: batches, assignments, and work started by timers. */
export interface Turns {
  take<T>(partition: number, work: () => Promise<T>): Promise<T>;
  /** Resolves once all started work has ended. */
  ended(): Promise<void>;
}

export function takeTurns(): Turns {
  const last = new Map<number, Promise<unknown>>();
  return {
    take(partition, work) {
      const turn = (last.get(partition) ?? Promise.resolve()).then(work, work);
      last.set(partition, turn);
      // Work queued behind it does not care how it ended; the caller does.
      turn.catch(() => undefined);
      return turn;
    },
    async ended() {
      await Promise.allSettled(last.values());
    },
  };
}
