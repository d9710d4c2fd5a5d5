import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { startKafka } from './broker.ts';
import { javaProduce, readCommitted } from './java-client.ts';

const shared = inject('kafka') ?? [];

describe.runIf(shared.length > 0)('the broker of the tests', () => {
  it("takes records of Java's producer and gives them to Java's consumer", async () => {
    const topic = randomUUID();
    const cluster = await startKafka();
    try {
      await cluster.createTopic(topic);
      await javaProduce(cluster.brokers, topic, [{ key: 'k', value: '{"a":1}' }], 'none');
      await cluster.kill(0);
      await cluster.restart(0);
      const records = await readCommitted(cluster.brokers, topic, { count: 1 });
      expect(records).toMatchObject([{ partition: 0, offset: 0, key: 'k', value: '{"a":1}' }]);
    } finally {
      await cluster.stop();
    }
  });

  it('keeps what was written when one of three is killed, and takes it back', async () => {
    const cluster = await startKafka({ brokers: 3, minInSyncReplicas: 2 });
    try {
      await cluster.createTopic('t', { partitions: 3 });
      const records = Array.from({ length: 30 }, (_, i) => ({ key: `${i}`, value: `${i}` }));
      await javaProduce(cluster.brokers, 't', records, 'lz4');
      await cluster.kill(0);
      const read = await readCommitted(cluster.brokers.slice(1), 't', { count: 30 });
      expect(new Set(read.map(({ value }) => value)).size).toBe(30);
      await cluster.restart(0);
      await cluster.terminate(1);
      await cluster.restart(1);
    } finally {
      await cluster.stop();
    }
  });
});
