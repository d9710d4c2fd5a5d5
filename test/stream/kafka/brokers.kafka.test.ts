import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { PartitionProducer } from '../../../src/stream/log.ts';
import { type KafkaCluster, startKafka } from '../../kafka/broker.ts';
import { readCommitted } from '../../kafka/java-client.ts';
import { makeTopic, producerOf, recording, recordsTo, settingsOf, withLog } from './fixture.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const PARTITIONS = 3;
const RECORDS = 6_000;

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('three brokers', () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await startKafka({ brokers: 3, minInSyncReplicas: 2 });
  });
  afterAll(() => cluster?.stop());

  it(
    "lose and double nothing when each is killed in the middle of transactions, as Java's consumer counts",
    () =>
      withLog(settingsOf(cluster.brokers), async (log) => {
        const [input, output] = await Promise.all([
          makeTopic(cluster.brokers, { partitions: PARTITIONS }),
          makeTopic(cluster.brokers, { partitions: PARTITIONS }),
        ]);
        const group = randomUUID();
        const producers = new Map<number, PartitionProducer>();
        const positions = new Map<number, number>();
        const subscription = await log.subscribe(input, group, {
          async assigned(partition) {
            const producer = await producerOf(log, input, partition, group);
            producers.set(partition, producer);
            const position = (await producer.committed())?.offset ?? 0;
            positions.set(partition, position);
            return position;
          },
          async batch({ partition, records, next }) {
            // Small transactions, so that many are hit.
            for (let i = 0; i === 0 || i < records.length; i += 20) {
              const part = records.slice(i, i + 20);
              const offset = i + 20 < records.length ? (part.at(-1)?.offset ?? 0) + 1 : next;
              const copies = part.map(({ key, value }) => ({ topic: output, key, value: value ?? '' }));
              try {
                await producers.get(partition)?.commit({ records: copies, offset, metadata: `${offset}` });
                positions.set(partition, offset);
              } catch {
                subscription.restart(partition);
                return;
              }
            }
          },
          async revoked() {},
        });
        const writeAll = async () => {
          const writing = () => producerOf(log, output, 0, 'writer of the test');
          let writer = await writing();
          for (let i = 0; i < RECORDS; ) {
            const values = Array.from({ length: 100 }, (_, j) => `${i + j}`);
            try {
              await writer.commit({ records: recordsTo(input, values), offset: i + 100, metadata: '' });
              i += 100;
            } catch {
              // What became of it is in the committed offset.
              writer = await writing();
              i = (await writer.committed())?.offset ?? 0;
            }
            await pause(250);
          }
        };
        const killing = async () => {
          for (const broker of [0, 1, 2]) {
            await pause(1_000);
            await cluster.kill(broker);
            await pause(1_000);
            await cluster.restart(broker);
          }
        };
        const ended = subscription.ended.then(() => {
          throw new Error('it ended');
        });
        ended.catch(() => undefined);
        await Promise.race([Promise.all([writeAll(), killing()]), ended]);
        const partitions = (await log.describe(input))?.partitions ?? [];
        while (partitions.some(({ partition, end }) => (positions.get(partition) ?? 0) < end))
          await Promise.race([pause(200), ended]);
        await subscription.close();
        // An end in each partition: with anything doubled, so many records would not have all of it.
        const last = Array.from({ length: PARTITIONS }, (_, partition) => ({
          topic: output,
          partition,
          key: null,
          value: 'end',
        }));
        await (await producerOf(log, output)).commit({ records: last, offset: 0, metadata: '' });
        const java = await readCommitted(cluster.brokers, output, { count: RECORDS + PARTITIONS });
        const values = java.filter(({ value }) => value !== 'end').map(({ value }) => Number(value));
        expect(java.length).toBe(RECORDS + PARTITIONS);
        expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, i) => i));
      }),
    300_000,
  );
});

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('a broker without transactions', () => {
  it('is refused', async () => {
    const cluster = await startKafka({ settings: { 'transaction.state.log.replication.factor': '3' } });
    try {
      const topic = await makeTopic(cluster.brokers);
      await withLog(settingsOf(cluster.brokers), async (log) => {
        const refused = { name: 'ScoreBatchError', kind: 'configuration', message: 'Kafka cannot run transactions' };
        await expect(producerOf(log, topic)).rejects.toMatchObject(refused);
      });
    } finally {
      await cluster.stop();
    }
  });
});

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('a partition without a leader', () => {
  it('keeps no other one waiting, and is read once its broker is back', async () => {
    const cluster = await startKafka({ brokers: 3 });
    try {
      await withLog(settingsOf(cluster.brokers), async (log) => {
        const topic = await makeTopic(cluster.brokers, { partitions: 3, replication: 1 });
        const to = (value: string, partitions: readonly number[]) => ({
          records: partitions.map((partition) => ({ topic, partition, key: value, value })),
          offset: 0,
          metadata: '',
        });
        const recorded = recording();
        const subscription = await log.subscribe(topic, randomUUID(), recorded.member);
        await (await producerOf(log, topic)).commit(to('before', [0, 1, 2]));
        await recorded.until(() => recorded.values.length === 3);
        const leaders = await leadersOf(cluster.brokers, topic);
        await cluster.kill((leaders.get(0) ?? 1) - 1);
        const led = [1, 2].filter((partition) => leaders.get(partition) !== leaders.get(0));
        const producer = await producerOf(log, topic);
        await producer.commit(to('meanwhile', led));
        await recorded.until(() => recorded.values.filter((value) => value === 'meanwhile').length === led.length);
        await cluster.restart((leaders.get(0) ?? 1) - 1);
        await (await producerOf(log, topic)).commit(to('after', [0]));
        await recorded.until(() => recorded.values.includes('after'));
        await subscription.close();
        expect(recorded.values.length).toBe(4 + led.length);
      });
    } finally {
      await cluster.stop();
    }
  }, 180_000);
});

async function leadersOf(brokers: readonly string[], topic: string): Promise<ReadonlyMap<number, number>> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  return new Map(topics[0]?.partitions.map(({ partitionId, leader }) => [partitionId, leader]));
}
