import type { OpenPartition } from './open-partition.ts';
import type { FlowOptions } from './ports.ts';

/** Scores pending events once a partition has been without records for a while. */
export interface IdleTimer {
  /** Call after every batch: schedules the check for idleness. */
  watch(open: OpenPartition): void;
}

interface IdleOptions extends Pick<FlowOptions, 'clock' | 'log' | 'settings'> {
  /** Runs the work in the partition's turn, if it is still open by then. */
  turn(open: OpenPartition, work: () => Promise<void>): void;
  isPaused(partition: number): boolean;
  flush(open: OpenPartition): Promise<void>;
}

export function watchIdle({ clock, log, settings, turn, isPaused, flush }: IdleOptions): IdleTimer {
  const { idleMs, features, input } = settings;
  if (idleMs === undefined || features.asOf === 'arrival') return { watch() {} };
  const set = (open: OpenPartition, ms: number) => {
    open.cancelIdle = clock.after(ms, () => {
      open.cancelIdle = undefined;
      turn(open, () => look(open));
    });
  };
  const look = async (open: OpenPartition): Promise<void> => {
    if (open.window.rebuilding || open.window.pending === 0) return;
    const left = open.readAt + idleMs - clock.elapsed();
    if (left > 0) set(open, Math.max(1, left));
    // A partition that is not being read is not idle: events may have come unseen.
    else if (isPaused(open.partition) || !(await isAtEnd(open))) set(open, idleMs);
    else await flush(open);
  };
  const isAtEnd = async ({ partition, newest, window }: OpenPartition): Promise<boolean> => {
    // Unreachable brokers say nothing about events.
    const facts = await log.describe(input).catch(() => undefined);
    const end = facts?.partitions.find((one) => one.partition === partition)?.end;
    if (end === undefined) return false;
    return end <= window.position || (newest !== undefined && newest.next >= newest.end && newest.end === end);
  };
  return {
    watch(open) {
      if (open.cancelIdle === undefined && !open.window.rebuilding && open.window.pending > 0) {
        set(open, Math.max(1, open.readAt + idleMs - clock.elapsed()));
      }
    },
  };
}
