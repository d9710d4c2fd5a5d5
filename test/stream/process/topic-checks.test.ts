import { expect, it } from 'vitest';
import type { TopicFacts } from '../../../src/stream/log.ts';
import { checkTopics } from '../../../src/stream/process/topic-checks.ts';

const FACTS: TopicFacts = {
  partitions: [{ partition: 0, begin: 0, end: 0 }],
  compacted: false,
  deletes: true,
  ...{ retentionMs: undefined, retentionBytes: undefined, maxMessageBytes: undefined, minCompactionLagMs: undefined },
  minInSyncReplicas: 2,
  replicas: 3,
};
const JOB = {
  input: 'in',
  output: { scores: 'scores', deadLetter: 'dead', alerts: undefined },
  kafka: { brokers: ['b:9092'], clientId: 'c', tls: undefined, sasl: undefined },
};

const check = (existing: readonly string[], brokers: number) =>
  checkTopics(
    { describe: async (name) => (existing.includes(name) ? FACTS : undefined), brokers: async () => brokers },
    JOB,
    () => undefined,
  );

it.each([
  [1, '--replication-factor 1`'],
  [2, '--replication-factor 2 --config min.insync.replicas=2`'],
  [9, '--replication-factor 3 --config min.insync.replicas=2`'],
])('shows commands that a cluster of %d brokers accepts', async (brokers, end) => {
  await expect(check([], brokers)).rejects.toMatchObject({
    message: '3 topics of the job do not exist: in (input), scores (output.scores), dead (output.dead_letter)',
    hint: expect.stringContaining(`--topic dead --partitions 12 ${end}`),
  });
});

it('shows the partitions and replicas of a topic that exists, and names a single one that does not', async () => {
  await expect(check(['in', 'scores'], 1)).rejects.toMatchObject({
    message: 'the topic dead (output.dead_letter) does not exist',
    hint: expect.stringContaining('--topic dead --partitions 1 --replication-factor 3 --config min.insync.replicas=2`'),
  });
});
