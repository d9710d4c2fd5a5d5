import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, LogRecord, TopicFacts } from '../../../src/stream/log.ts';

/** A topic in memory: what `Log` promises of one that is read without a group. */
export interface MemoryTopic {
  readonly log: Log;
  /** @returns the version of the row, `PARTITION:OFFSET` */
  append(partition: number, key: string | Buffer | null, value: unknown): string;
  /** Drops the records below the offset, or, without one, the topic. */
  drop(partition?: number, below?: number): void;
  readonly facts: { -readonly [Name in keyof TopicFacts]?: TopicFacts[Name] };
}

const HOUR = 3_600_000;

export function memoryTopic(topic: string, partitions = 2): MemoryTopic {
  const kept: { records: LogRecord[]; end: number }[] = Array.from({ length: partitions }, () => ({ records: [], end: 0 }));
  const facts: MemoryTopic['facts'] = {};
  let gone = false;
  const described = (): TopicFacts => ({
    partitions: kept.map(({ records, end }, partition) => ({ partition, begin: records[0]?.offset ?? end, end })),
    compacted: true,
    deletes: false,
    minCompactionLagMs: 2 * HOUR,
    replicas: 1,
    ...{ retentionMs: undefined, retentionBytes: undefined, maxMessageBytes: undefined, minInSyncReplicas: undefined },
    ...facts,
  });
  const absent = async (): Promise<never> => {
    throw new Error('attributes need no groups');
  };
  const log: Log = {
    brokers: async () => 1,
    describe: async (name) => (gone || name !== topic ? undefined : described()),
    async read(name, from, batch, signal) {
      const next = new Map(from);
      while (!signal.aborted) {
        if (gone || name !== topic) throw new Error('This server does not host this topic-partition');
        for (const [partition, { records, end }] of kept.entries()) {
          const at = next.get(partition) ?? end;
          const found = records.filter(({ offset }) => offset >= at).slice(0, 3);
          const after = (found.at(-1)?.offset ?? end - 1) + 1;
          if (after <= at) continue;
          next.set(partition, after);
          await batch({ partition, records: found, next: after, end });
        }
        await sleep(1, undefined, { signal }).catch(() => undefined);
      }
    },
    // Records have their offset as timestamp.
    offsetAt: async (_, partition, timestamp) => Math.min(timestamp, kept[partition]?.end ?? 0),
    subscribe: absent,
    openProducer: absent,
    close: async () => undefined,
  };
  return {
    log,
    facts,
    append(partition, key, value) {
      const place = kept[partition];
      if (place === undefined) throw new Error(`there is no partition ${partition}`);
      const bytes = value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
      const offset = place.end;
      place.end += 1;
      place.records.push({ offset, timestamp: offset, key: key === null ? null : Buffer.from(key), value: bytes });
      return `${partition}:${offset}`;
    },
    drop(partition, below) {
      if (partition === undefined) gone = true;
      const place = kept[partition ?? -1];
      if (place !== undefined) place.records = place.records.filter(({ offset }) => offset >= (below ?? 0));
    },
  };
}
