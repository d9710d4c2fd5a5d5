import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, inject, it } from 'vitest';
import { makeTopic, producerOf, recording, recordsTo, settingsOf, withLog, write } from './fixture.ts';

const brokers = inject('kafka') ?? [];
const settings = settingsOf(brokers);

async function withAdmin<T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function remake(topic: string): Promise<void> {
  await withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    // Kafka deletes it in a moment.
    while (!(await admin.createTopics({ topics: [{ topic }] }).catch(() => false))) {}
  });
}

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)('a topic', () => {
  it('that is deleted and made again, longer than before, while its reading is paused, ends the reading', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers);
      await write(log, topic, [['a'], ['b']]);
      const recorded = recording();
      const subscription = await log.subscribe(topic, randomUUID(), recorded.member);
      await recorded.until(() => recorded.values.length === 2);
      subscription.pause([0]);
      await remake(topic);
      await withLog(settings, (other) => write(other, topic, [['c'], ['d'], ['e'], ['f']]));
      subscription.resume([0]);
      await expect(subscription.ended).rejects.toMatchObject({
        kind: 'configuration',
        message: `the topic ${topic} was deleted and recreated while it was being read`,
      });
      expect(recorded.values).toEqual(['a', 'b']);
    }));

  it('that is deleted while it is written ends the writing, and names it', () =>
    withLog(settings, async (log) => {
      const [kept, deleted] = [await makeTopic(brokers), await makeTopic(brokers)];
      const producer = await producerOf(log, kept);
      const records = [...recordsTo(kept, ['a']), ...recordsTo(deleted, ['a'])];
      await producer.commit({ records, offset: 1, metadata: '' });
      await withAdmin((admin) => admin.deleteTopics({ topics: [deleted] }));
      await expect(producer.commit({ records, offset: 2, metadata: '' })).rejects.toMatchObject({
        kind: 'configuration',
        message: `the topic ${deleted} does not exist`,
      });
    }));
});
