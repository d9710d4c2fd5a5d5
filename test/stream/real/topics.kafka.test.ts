import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import type { Outcome } from '../../support/score-batch.ts';
import { type StreamProcess, startStream, until } from './stream-process.ts';
import { event, type StreamTopics, streamTopics, type TopicOptions } from './stream-topics.ts';
import { written } from './written.ts';

const brokers = inject('kafka') ?? [];

/** A process that has scored twenty events. */
async function running(options: TopicOptions = {}): Promise<{ topics: StreamTopics; first: StreamProcess }> {
  const topics = await streamTopics(brokers, options);
  await topics.send(Array.from({ length: 20 }, (_, i) => event(i, Date.now() - 20_000 + i)));
  const first = startStream(topics.folder);
  await topics.untilRead(() => first.log);
  return { topics, first };
}

async function remake({ admin, input, create }: StreamTopics, partitions?: number): Promise<void> {
  await admin.deleteTopics({ topics: [input] });
  await until(
    async () => !(await admin.listTopics()).includes(input),
    () => 'the topic is still there',
  );
  await create(input, partitions);
}

function expectEnd({ code, stderr }: Outcome, expected: number, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^hint: /m);
  expect(code).toBe(expected);
}

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)(
  'the input topic',
  () => {
    it('is refused at the start if it is compacted, or keeps records for less than the windows need', async () => {
      const compacted = await streamTopics(brokers, { config: { 'cleanup.policy': 'compact' } });
      expectEnd(await startStream(compacted.folder).ended, 78, /^error: topic in-\w+ is compacted/m);
      const short = await streamTopics(brokers, { config: { 'retention.ms': '300000' } });
      expectEnd(
        await startStream(short.folder).ended,
        78,
        /^error: topic in-\w+ keeps records for 5m, but windows need 11m 10s/m,
      );
    });

    it('stops the stream when partitions were added, while it runs and at the next start', async () => {
      const { topics, first } = await running();
      await topics.admin.createPartitions({ topicPartitions: [{ topic: topics.input, count: 3 }] });
      const added = /^error: topic in-\w+ has 3 partitions instead of 2, so keys have moved between them$/m;
      expectEnd(await first.ended, 78, added);
      expectEnd(await startStream(topics.folder).ended, 78, added);
    });

    it('stops the stream when it is deleted while it runs', async () => {
      const { topics, first } = await running();
      await topics.admin.deleteTopics({ topics: [topics.input] });
      expectEnd(await first.ended, 78, /^error: (the )?topic in-\w+ (was deleted while it was being read|does not exist)$/m);
    });

    it('stops the stream when it is made again while it runs, even with more records than were read', async () => {
      const { topics, first } = await running({ partitions: 1 });
      await remake(topics);
      await topics.send(Array.from({ length: 60 }, (_, i) => event(500 + i, Date.now())));
      expectEnd(await first.ended, 78, /^error: .*(recreated|does not have offset)/m);
      const { scores } = await written(topics, { scores: 20 });
      expect(scores.filter(({ id }) => Number(id.slice(1)) >= 500)).toEqual([]);
    });

    it('stops the stream if it was made again while no process ran, unless a new group is accepted: Kafka has forgotten what the group committed', async () => {
      const { topics, first } = await running({ partitions: 1 });
      expect((await first.end()).code).toBe(0);
      await remake(topics);
      await topics.send(Array.from({ length: 60 }, (_, i) => event(500 + i, Date.now())));
      expectEnd(
        await startStream(topics.folder).ended,
        78,
        /^error: group group-\w+ has no committed offsets for topic in-\w+, but/m,
      );
      const second = startStream(topics.folder, { args: ['--start', 'earliest', '--accept-new-group'] });
      await second.says(/^partition 0 is scored here from offset 0 on/);
      await topics.untilRead(() => second.log);
      expect((await second.end()).code).toBe(0);
      const { scores } = await written(topics, { scores: 80 });
      expect(scores.map(({ offset }) => offset)).toEqual([...Array(20).keys(), ...Array(60).keys()]);
    });

    it('stops the stream when the log starts beyond replay-from, where events were not scored yet', async () => {
      const { topics, first } = await running({ partitions: 1, asOf: 'event' });
      expect((await first.end()).code).toBe(0);
      await topics.admin.deleteTopicRecords({ topic: topics.input, partitions: [{ partition: 0, offset: '15' }] });
      expectEnd(
        await startStream(topics.folder).ended,
        78,
        /: the log starts at offset 15, but events from offset 0 on have not been scored yet$/m,
      );
    });

    it('continues where the log has dropped only what was scored, and marks windows that may lack some of it', async () => {
      const { topics, first } = await running({ partitions: 1 });
      expect((await first.end()).code).toBe(0);
      await topics.admin.deleteTopicRecords({ topic: topics.input, partitions: [{ partition: 0, offset: '15' }] });
      const second = startStream(topics.folder);
      await second.says(/^partition \d is rebuilt/);
      await topics.send([event(100, Date.now())]);
      await topics.untilRead(() => second.log);
      expect((await second.end()).code).toBe(0);
      const { scores } = await written(topics, { scores: 21 });
      expect(scores.map(({ partial }) => partial ?? false)).toEqual([...Array(20).fill(false), true]);
    });

    it('stops the stream when a key is in two partitions, without saying which', async () => {
      const { topics, first } = await running();
      await topics.send([0, 1].map((partition) => ({ ...event(100 + partition, Date.now(), Date.now(), 'moved'), partition })));
      const { code, stderr } = await first.ended;
      expectEnd({ code, stderr } as Outcome, 78, /^error: a key of topic in-\w+ is in partition \d and in partition \d$/m);
      expect(stderr).not.toContain('moved');
    });
  },
  120_000,
);

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)(
  'other topics',
  () => {
    it('of outputs may be deleted and made again within seconds: until then nothing is committed', async () => {
      const { topics, first } = await running();
      await topics.admin.deleteTopics({ topics: [topics.scores] });
      await until(
        async () => !(await topics.admin.listTopics()).includes(topics.scores),
        () => 'the topic is still there',
      );
      await topics.send([event(100, Date.now())]);
      await topics.create(topics.scores);
      await topics.untilRead(() => first.log);
      expect((await first.end()).code).toBe(0);
      expect((await written(topics, { scores: 1 })).scores.map(({ id }) => id)).toEqual(['t100']);
    });

    it('of attributes stop the stream when they are deleted', async () => {
      const users = `users-${randomUUID()}`;
      const columns = 'columns: { age: int64 }';
      const topics = await streamTopics(brokers, { job: `attributes: { topic: ${users}, ${columns} }\n` });
      const missing = startStream(topics.folder);
      expectEnd(await missing.ended, 78, /^error: the attribute topic users-[\w-]+ does not exist$/m);
      await topics.create(users, 1, { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '9000000' });
      await topics.send([event(0, Date.now())]);
      const first = startStream(topics.folder);
      await topics.untilRead(() => first.log);
      await topics.admin.deleteTopics({ topics: [users] });
      expectEnd(await first.ended, 78, /^error: .*users-[\w-]+ .*was deleted/m);
    });
  },
  120_000,
);

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'a program that takes the transactional ids is fenced in turn, told once per restart, and doubles nothing',
  async () => {
    const { topics, first } = await running({ partitions: 1 });
    const { Kafka, logLevel } = await import('kafkajs');
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const thief = kafka.producer({
      transactionalId: `${topics.group}-${topics.input}-0`,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await thief.connect();
    const stolen = await thief.transaction();
    await stolen.send({ topic: topics.scores, messages: [{ value: '{"id":"of the thief"}' }] });
    await topics.send([event(100, Date.now())]);
    await first.says(
      /^warning: partition 0 will be reopened in \d+ ms: another process writes with the transactional id group-\w+-in-\w+-0$/,
    );
    await topics.untilRead(() => first.log);
    await expect(stolen.commit()).rejects.toThrow();
    await thief.disconnect().catch(() => undefined);
    expect(await first.metric('restarts_total')).toBe(1);
    expect((await first.end()).code).toBe(0);
    const { scores } = await written(topics, { scores: 21 });
    expect(scores.map(({ id }) => id).sort()).toEqual([...Array.from({ length: 20 }, (_, i) => `t${i}`), 't100'].sort());
  },
  120_000,
);
