import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type KafkaCluster, startKafka } from '../../kafka/broker.ts';
import { startStream } from './stream-process.ts';
import { closers, eventsOf, STEP_MS, streamTopics } from './stream-topics.ts';
import { expectAsFileMode } from './written.ts';

const EVENTS = 12_000;
const PARTITIONS = 3;

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('three brokers', () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await startKafka({ brokers: 3, replication: 3, minInSyncReplicas: 2 });
  });
  afterAll(() => cluster?.stop());

  it('lose and double nothing when leaders and coordinators are killed in the middle of transactions', async () => {
    const options = { partitions: PARTITIONS, replication: 3, asOf: 'event' as const, job: 'limits: { batch_events: 50 }\n' };
    const topics = await streamTopics(cluster.brokers, options);
    const { folder, admin, send, input, group } = topics;
    const begin = Date.now() - EVENTS * STEP_MS;
    await send(eventsOf(0, EVENTS / 2, begin));
    const processes = [startStream(folder), startStream(folder)];
    for (const one of processes) await one.says(/^partition \d is rebuilt/, 1);

    // The leader of a partition of the input first, then the other two, coordinators among them: each while transactions are under way.
    const leader = (await admin.fetchTopicMetadata({ topics: [input] })).topics[0]?.partitions[0]?.leader ?? 1;
    const sending = send(eventsOf(EVENTS / 2, EVENTS / 2, begin), 400);
    await cluster.kill(leader - 1);
    await delay(3000);
    await cluster.restart(leader - 1);
    const { brokers } = await admin.describeCluster();
    const other = (brokers.find(({ nodeId }) => nodeId !== leader)?.nodeId ?? 1) - 1;
    await delay(2000);
    await cluster.kill(other);
    await delay(3000);
    await cluster.restart(other);
    const third = [0, 1, 2].find((one) => one !== other && one !== leader - 1) ?? 0;
    await cluster.kill(third);
    await delay(1000);
    await cluster.restart(third);
    await sending;
    await send(closers(PARTITIONS, begin + EVENTS * STEP_MS + 60_000));
    await topics.untilScored(() => `${group}\n${processes.map(({ log }) => log).join('\n')}`);
    for (const { code, stderr } of await Promise.all(processes.map((one) => one.end()))) expect(code, stderr).toBe(0);
    await expectAsFileMode(topics);
  }, 300_000);
});
