import { describe, expect, it } from 'vitest';
import { FEATURES, streamProject } from '../stream/stream-project.ts';
import { scoreBatch } from '../support/score-batch.ts';

// What is asked of Kafka: test/commands/stream-plan.kafka.test.ts

describe('stream plan --engine', () => {
  it('flink prints a script that reads the topic of the job, with its idle time, and without a password', async () => {
    const folder = await streamProject({ features: FEATURES.replace('as_of: arrival', 'as_of: event'), job: SECURED });
    const { code, stdout, stderr } = await scoreBatch(folder, ['stream', 'plan', '--engine', 'flink', '--checkpoint', '3'], {
      KAFKA_PASSWORD: 'correct horse',
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    for (const part of [
      "SET 'execution.checkpointing.interval' = '3000 ms'",
      "SET 'table.exec.source.idle-timeout' = '10000 ms'",
      "'topic' = 'transactions'",
      "'properties.group.id' = 'score-batch-fraud-flink'",
      "'properties.security.protocol' = 'SASL_PLAINTEXT'",
      'username="u" password="PASSWORD"',
      "'topic' = 'fraud-features-rejected'",
    ])
      expect(stdout).toContain(part);
    expect(stdout).not.toContain('correct horse');
  });

  it('flink refuses features as of arrival, and there is no other engine', async () => {
    const folder = await streamProject();
    const arrival = await scoreBatch(folder, ['stream', 'plan', '--engine', 'flink']);
    expect(arrival).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('are as of arrival, which Flink SQL cannot express'),
    });
    const other = await scoreBatch(folder, ['stream', 'plan', '--engine', 'spark']);
    expect(other).toMatchObject({ code: 64, stderr: expect.stringContaining('score-batch stream sql') });
  });
});

// The shell's way to name a variable, in the job file.
const SECURED = `name: fraud
model: model
features_file: jobs/fraud.features.yaml
features: { b: amount_5m }
kafka: { brokers: [localhost:9092], sasl: { mechanism: scram-sha-512, username: u, password: '\${KAFKA_PASSWORD}' } }
input: transactions
output: { scores: fraud-scores, dead_letter: fraud-dead-letter }
idle: 10s
`;
