import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type KafkaCluster, startKafka } from '../../kafka/broker.ts';
import { makeTopic, producerOf, recording, recordsTo, settingsOf, withLog } from './fixture.ts';

/** Of brokers that have other settings than streams need. */
async function withBroker(settings: Readonly<Record<string, string>>, work: (cluster: KafkaCluster) => Promise<void>) {
  const cluster = await startKafka({ settings });
  try {
    await work(cluster);
  } finally {
    await cluster.stop();
  }
}

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('an answer of Kafka that asks for another setting', () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await startKafka({ settings: { 'offset.metadata.max.bytes': '100', 'group.max.size': '1' } });
  });
  afterAll(() => cluster?.stop());

  it('names it where what is committed is too large', () =>
    withLog(settingsOf(cluster.brokers), async (log) => {
      const topic = await makeTopic(cluster.brokers);
      const producer = await producerOf(log, topic);
      const transaction = { records: recordsTo(topic, ['a']), offset: 1, metadata: 'x'.repeat(4_000) };
      await expect(producer.commit(transaction)).rejects.toMatchObject({
        kind: 'configuration',
        hint: 'set offset.metadata.max.bytes on the brokers to 4096 or more',
      });
    }));

  it('names it where the group may have no further member', () =>
    withLog(settingsOf(cluster.brokers), async (log) => {
      const topic = await makeTopic(cluster.brokers);
      const group = randomUUID();
      const first = recording();
      const subscription = await log.subscribe(topic, group, first.member);
      await first.until(() => first.calls.length === 1);
      const second = await log.subscribe(topic, group, recording().member);
      await expect(second.ended).rejects.toMatchObject({
        kind: 'configuration',
        hint: 'raise group.max.size on the brokers, or run fewer processes',
      });
      await subscription.close();
    }));

  it('names it where transactions may not last so long', () =>
    withBroker({ 'transaction.max.timeout.ms': '10000' }, (limited) =>
      withLog(settingsOf(limited.brokers), async (log) => {
        const topic = await makeTopic(limited.brokers);
        await expect(producerOf(log, topic)).rejects.toMatchObject({
          kind: 'configuration',
          hint: 'set transaction.max.timeout.ms on the brokers to 30000 or more',
        });
      }),
    ));
});
