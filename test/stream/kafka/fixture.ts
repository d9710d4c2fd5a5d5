import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { openKafka } from '../../../src/stream/kafka/open.ts';
import type { Log, LogBatch, LogRecord, Member, OutputRecord, PartitionProducer } from '../../../src/stream/log.ts';
import type { KafkaSettings } from '../../../src/stream/settings.ts';

export function settingsOf(brokers: readonly string[], more: Partial<KafkaSettings> = {}): KafkaSettings {
  return { brokers, clientId: 'tests', tls: undefined, sasl: undefined, ...more };
}

/** Makes a topic with a name of its own. */
export async function makeTopic(
  brokers: readonly string[],
  options: { partitions?: number; replication?: number; config?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const topic = randomUUID();
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const configEntries = Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value }));
  const { partitions = 1, replication = -1 } = options;
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
  });
  // A broker that just answered may not know it yet.
  for (;;) {
    const found = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
    if (found?.topics[0]?.partitions.every(({ leader }) => leader >= 0)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await admin.disconnect();
  return topic;
}

export async function withLog<T>(settings: KafkaSettings, work: (log: Log) => Promise<T>): Promise<T> {
  const log = await openKafka(settings);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

export function recordsTo(topic: string, values: readonly string[], partition?: number): OutputRecord[] {
  return values.map((value) => ({ topic, key: value, value, ...(partition === undefined ? {} : { partition }) }));
}

/** A producer whose input is a partition of the topic, for a group of its own unless it is given. */
export function producerOf(log: Log, topic: string, partition = 0, group: string = randomUUID()): Promise<PartitionProducer> {
  return log.openProducer(`${group}-${topic}-${partition}`, { group, topic, partition });
}

/** Commits values as records of one transaction each. */
export async function write(log: Log, topic: string, transactions: readonly (readonly string[])[], partition?: number) {
  const producer = await producerOf(log, topic, 0);
  for (const [i, values] of transactions.entries()) {
    await producer.commit({ records: recordsTo(topic, values, partition), offset: i, metadata: '' });
  }
  await producer.close();
}

/** Reads until so many records are there. */
export async function readAll(log: Log, topic: string, count: number, partitions = 1): Promise<string[]> {
  return (await readRecords(log, topic, count, partitions)).map(({ value }) => String(value));
}

export async function readRecords(log: Log, topic: string, count: number, partitions = 1): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const end = new AbortController();
  const from = new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0]));
  await log.read(
    topic,
    from,
    async ({ records }) => {
      found.push(...records);
      if (found.length >= count) end.abort();
    },
    end.signal,
  );
  return found;
}

interface Recorded {
  readonly member: Member;
  /** In the order in which they came. */
  readonly calls: readonly string[];
  readonly batches: readonly LogBatch[];
  readonly values: readonly string[];
  /** Until the condition holds, looked at after each call. */
  until(condition: () => boolean): Promise<void>;
}

/** A member that keeps what it is told. */
export function recording(start: (partition: number) => number = () => 0): Recorded {
  const calls: string[] = [];
  const batches: LogBatch[] = [];
  const values: string[] = [];
  const waiting = new Set<() => void>();
  const called = (call: string) => {
    calls.push(call);
    for (const look of waiting) look();
  };
  return {
    calls,
    batches,
    values,
    member: {
      async assigned(partition, kept) {
        called(`${kept ? 'kept' : 'assigned'} ${partition}`);
        return start(partition);
      },
      async batch(batch) {
        batches.push(batch);
        values.push(...batch.records.map(({ value }) => String(value)));
        called(`batch ${batch.partition}`);
      },
      async revoked(partitions) {
        called(`revoked ${[...partitions].sort().join(' ')}`);
      },
    },
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
