import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, it } from 'vitest';
import { JOB, streamProject } from '../stream/stream-project.ts';
import { scoreBatch } from '../support/score-batch.ts';

// Without Java there is no Kafka.
it.skipIf(inject('kafka') === undefined)(
  'stream plan says what is read and written, by which model, and what is missing',
  async () => {
    const [broker = ''] = inject('kafka') ?? [];
    const named = (text: string) => text.replace(/(transactions|fraud-scores|fraud-dead-letter|fraud-alerts)/g, 'plan-$1');
    const folder = await streamProject({ job: named(JOB).replace('localhost:9092', broker) });
    const missing = await scoreBatch(folder, ['stream', 'plan']);
    expect(missing).toMatchObject({ code: 78, stderr: expect.stringContaining('4 topics of the job do not exist: ') });
    expect(missing.stderr).toContain('--topic plan-transactions --partitions 12 --replication-factor 1`');
    const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topics = ['transactions', 'fraud-scores', 'fraud-dead-letter', 'fraud-alerts'];
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({ topic: `plan-${topic}`, numPartitions: 3 })),
    });
    await admin.disconnect();
    const { code, stdout } = await scoreBatch(folder, ['stream', 'plan']);
    expect(code).toBe(0);
    expect(stdout).toContain('input     plan-transactions: 3 partitions, 0 records, keeps 7d');
    expect(stdout).toContain('windows are rebuilt from the last 10m 10s');
    expect(stdout).toContain('features  a: count of events in 5m');
    expect(stdout).toContain('b: window feature amount_5m');
  },
);
