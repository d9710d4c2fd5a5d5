import type { Subscription } from '../log.ts';
import type { Pauses } from './pauses.ts';
import type { FlowClock } from './ports.ts';

/** How long a restart waits for the subscription, if `assigned` was called before it was there. */
const JOINING_MS = 100;

/** Partitions that wait to be opened again. They are not read meanwhile. */
export interface RestartTimers {
  set(partition: number, ms: number): void;
  cancel(partition: number): void;
  cancelAll(): void;
}

export function timeRestarts(
  clock: FlowClock,
  pauses: Pauses,
  subscription: () => Pick<Subscription, 'restart'> | undefined,
): RestartTimers {
  const cancels = new Map<number, () => void>();
  const self: RestartTimers = {
    set(partition, ms) {
      pauses.add(partition, 'restart');
      const begin = () => {
        const joined = subscription();
        if (joined === undefined) return self.set(partition, JOINING_MS);
        self.cancel(partition);
        joined.restart(partition);
      };
      cancels.set(partition, clock.after(ms, begin));
    },
    cancel(partition) {
      cancels.get(partition)?.();
      cancels.delete(partition);
      pauses.remove(partition, 'restart');
    },
    cancelAll() {
      for (const partition of [...cancels.keys()]) self.cancel(partition);
    },
  };
  return self;
}
