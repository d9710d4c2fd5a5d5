import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { readCommitted } from '../../kafka/java-client.ts';
import { makeTopic, producerOf, readAll, readRecords, recordsTo, settingsOf, withLog, write } from './fixture.ts';

const brokers = inject('kafka') ?? [];
const settings = settingsOf(brokers);

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)('a log of Kafka', () => {
  it("commits records and position together, which Java's consumer and a reader see", () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { partitions: 3 });
      const group = randomUUID();
      const producer = await producerOf(log, topic, 2, group);
      expect(await producer.committed()).toBeUndefined();
      await producer.commit({ records: recordsTo(topic, ['a', 'b', 'c']), offset: 7, metadata: '{"é":1}' });
      expect(await producer.committed()).toEqual({ offset: 7, metadata: '{"é":1}' });
      const metadata = 'x'.repeat(4096);
      await producer.commit({ records: [], offset: 9, metadata });
      expect(await producer.committed()).toEqual({ offset: 9, metadata });
      expect((await readAll(log, topic, 3, 3)).sort()).toEqual(['a', 'b', 'c']);
      const java = await readCommitted(brokers, topic, { count: 3 });
      expect(java.map(({ key, value }) => `${key}${value}`).sort()).toEqual(['aa', 'bb', 'cc']);
    }));

  it('writes keys, absent keys, headers and partitions as they are given', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { partitions: 2 });
      const producer = await producerOf(log, topic);
      const value = Buffer.from([0, 255]);
      const records = [
        { topic, partition: 1, key: null, value: 'é', headers: { name: 'text' } },
        { topic, partition: 1, key: Buffer.from('k'), value },
      ];
      await producer.commit({ records, offset: 0, metadata: '' });
      const end = new AbortController();
      const before = Date.now();
      await log.read(
        topic,
        new Map([[1, 0]]),
        async (batch) => {
          expect(batch).toMatchObject({ partition: 1, next: 3, end: 3 });
          expect(batch.records.map((one) => [one.offset, one.key, one.value])).toEqual([
            [0, null, Buffer.from('é')],
            [1, Buffer.from('k'), value],
          ]);
          expect(Math.abs((batch.records[0]?.timestamp ?? 0) - before)).toBeLessThan(60_000);
          end.abort();
        },
        end.signal,
      );
    }));

  it('has the time at which Kafka appended a record, where the topic says so', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { config: { 'message.timestamp.type': 'LogAppendTime' } });
      const many = Array.from({ length: 50 }, (_, i) => `${i}`);
      await write(log, topic, [['one'], many]);
      const java = await readCommitted(brokers, topic, { count: 51 });
      const found = await readRecords(log, topic, 51);
      expect(found.map(({ offset, timestamp, key, value }) => [offset, timestamp, `${key}`, `${value}`])).toEqual(
        java.map(({ offset, timestamp, key, value }) => [offset, timestamp, key, value]),
      );
    }));

  it('describes a topic, and finds offsets by time', () =>
    withLog(settings, async (log) => {
      const config = { 'retention.ms': '123456', 'cleanup.policy': 'compact,delete', 'min.compaction.lag.ms': '99' };
      const topic = await makeTopic(brokers, { partitions: 2, config });
      await write(log, topic, [['a'], ['b']], 1);
      expect(await log.describe(topic)).toEqual({
        partitions: [
          { partition: 0, begin: 0, end: 0 },
          { partition: 1, begin: 0, end: 4 },
        ],
        compacted: true,
        deletes: true,
        retentionMs: 123456,
        retentionBytes: undefined,
        maxMessageBytes: 1048588,
        minCompactionLagMs: 99,
        minInSyncReplicas: 1,
        replicas: 1,
      });
      expect(await log.describe(randomUUID())).toBeUndefined();
      expect(await log.offsetAt(topic, 1, 0)).toBe(0);
      expect(await log.offsetAt(topic, 1, Date.now() + 1e9)).toBe(4);
    }));

  it('refuses a record beyond what the topic takes, and can write others then', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { config: { 'max.message.bytes': '5000' } });
      const producer = await producerOf(log, topic);
      const small = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(400, '.'));
      const large = recordsTo(topic, [...small, 'x'.repeat(9_000)]);
      await expect(producer.commit({ records: large, offset: 1, metadata: '' })).rejects.toMatchObject({
        name: 'TooLargeError',
        record: { topic, value: Buffer.from('x'.repeat(9_000)) },
      });
      expect(await producer.committed()).toBeUndefined();
      await producer.commit({ records: recordsTo(topic, small), offset: 2, metadata: '' });
      expect(await readAll(log, topic, small.length)).toEqual(small);
    }));

  it('says that an output topic is missing, and that an offset is no longer in the log', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers);
      const producer = await producerOf(log, topic);
      const records = recordsTo('no-such-topic', ['a']);
      await expect(producer.commit({ records, offset: 1, metadata: '' })).rejects.toMatchObject({
        kind: 'configuration',
        message: 'the topic no-such-topic does not exist',
      });
      const { signal } = new AbortController();
      await expect(log.read(topic, new Map([[0, 5]]), async () => {}, signal)).rejects.toMatchObject({
        kind: 'configuration',
        message: `the log of ${topic}, partition 0, does not have offset 5`,
      });
    }));
});
