import { FencedError, TransactionError } from '../log.ts';
import { refuseMovedKeys } from './input-topic.ts';
import { type OpenPartition, openPartition } from './open-partition.ts';
import type { FlowOptions } from './ports.ts';
import { reachable } from './reachable.ts';

/** The open partitions of this process. */
export interface OpenPartitions {
  get(partition: number): OpenPartition | undefined;
  all(): IterableIterator<OpenPartition>;
  /** Bytes of their windows. */
  readonly bytes: number;
  /**
   * Opens a partition, or keeps what this process already has if no other one has written since.
   *
   * @param kept whether it had the partition all the time
   * @param model in use; see `modelOf`
   * @throws as `openPartition` does
   */
  open(partition: number, kept: boolean, model: string): Promise<{ readonly open: OpenPartition; readonly kept: boolean }>;
  /** Forgets its window and closes its producer: only what is committed remains. */
  drop(partition: number): void;
  /** Resolves once the producers of dropped partitions are closed. */
  closed(): Promise<void>;
}

export function openPartitions(options: FlowOptions): OpenPartitions {
  const opens = new Map<number, OpenPartition>();
  const closing = new Set<Promise<void>>();
  const known = new Set<number>();
  const self: OpenPartitions = {
    get: (partition) => opens.get(partition),
    all: () => opens.values(),
    get bytes() {
      let sum = 0;
      for (const open of opens.values()) sum += bytesOf(open);
      return sum;
    },
    async open(partition, kept, model) {
      const before = opens.get(partition);
      if (before !== undefined && kept && (await isHeld(before))) return { open: before, kept: true };
      self.drop(partition);
      const open = await openPartition(partition, model, options, { known: known.has(partition) });
      known.add(partition);
      opens.set(partition, open);
      for (const other of opens.values()) refuseMovedKeys(options.settings.input, other.partitions, open.partitions);
      return { open, kept: false };
    },
    drop(partition) {
      const open = opens.get(partition);
      if (open === undefined) return;
      opens.delete(partition);
      open.cancelIdle?.();
      const closed = open.producer.close().catch(() => undefined);
      closing.add(closed);
      void closed.then(() => closing.delete(closed));
    },
    async closed() {
      await Promise.all(closing);
    },
  };
  return self;
}

export function bytesOf({ window, unscoredBytes }: OpenPartition): number {
  return window.bytes + unscoredBytes;
}

/** Whether no other process has written: its transactions would show, and if it is still there it has fenced the producer. */
async function isHeld({ producer, committed }: OpenPartition): Promise<boolean> {
  try {
    const now = await reachable(producer.committed());
    return now?.offset === committed.offset && now.metadata === committed.metadata;
  } catch (error) {
    if (error instanceof FencedError || error instanceof TransactionError) return false;
    throw error;
  }
}
