import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { openKafka } from '../../../src/stream/kafka/open.ts';
import { javaProduce } from '../../kafka/java-client.ts';
import { eventually, opened } from './opened.ts';

const brokers = inject('kafka') ?? [];

const COLUMNS = [{ name: 'home', type: 'string' }] as const;
const LAG = { name: 'min.compaction.lag.ms', value: '3905000' };
const COMPACT = { name: 'cleanup.policy', value: 'compact' };

// Without Java there is no broker; the last line of the output says so.
describe.runIf(brokers.length > 0)('attributes of a topic of Kafka', () => {
  it('are read to the end, followed, checked, and end when the topic is deleted', async () => {
    const topic = randomUUID();
    const client = new Kafka({ clientId: 'test', brokers: [...brokers], logLevel: logLevel.NOTHING });
    const [admin, producer] = [client.admin(), client.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    onTestFinished(async () => {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    });
    const log = await openKafka({ brokers, clientId: 'attributes', tls: undefined, sasl: undefined });
    onTestFinished(() => log.close());
    const settings = { topic, columns: COLUMNS };
    const create = async (name: string, configEntries: { name: string; value: string }[]) => {
      await admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions: 3, configEntries }] });
    };
    await expect(opened(settings, { log })).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringMatching(/does not exist$/),
    });
    const plain = randomUUID();
    await create(plain, []);
    await expect(opened({ ...settings, topic: plain }, { log })).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('is not compacted'),
    });
    const eager = randomUUID();
    await create(eager, [COMPACT]);
    await expect(opened({ ...settings, topic: eager }, { log })).rejects.toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('min.compaction.lag.ms=3905000'),
    });

    await create(topic, [COMPACT, LAG]);
    const users = Array.from({ length: 500 }, (_, i) => ({ key: `u${i}`, value: JSON.stringify({ home: `H${i}` }) }));
    await javaProduce(brokers, topic, [...users, { key: 'u1', value: '{"home":"again"}' }], 'none');
    const { attributes, failure } = await opened(settings, { log, watchMs: 200 });
    expect(attributes.rows).toBe(500);
    expect(attributes.find('u1')?.values).toEqual(['again']);
    const [written] = await producer.send({ topic, messages: [{ key: 'u2', value: '{"home":"newer"}' }] });
    await eventually(() => expect(attributes.find('u2')?.values).toEqual(['newer']));
    expect(attributes.find('u2')?.version).toBe(`${written?.partition}:${written?.baseOffset}`);
    await producer.send({ topic, messages: [{ key: 'u3', value: null }] });
    await eventually(() => expect(attributes.find('u3')).toBeUndefined());
    await admin.deleteTopics({ topics: [topic] });
    expect(await failure).toMatchObject({
      kind: 'configuration',
      message: expect.stringMatching(new RegExp(`topic ${topic} was deleted( while it was being read)?$`)),
    });
  });
});
