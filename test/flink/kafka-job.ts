import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import type { EventFeatures } from '../../src/event-features/definition.ts';
import { flinkSql } from '../../src/event-features/flink/script.ts';
import type { LoggedEvent } from '../event-features/agreement/generate.ts';
import { readCommitted } from '../kafka/java-client.ts';
import { runFlink } from './flink.ts';

const BATCH = 2000;

/**
 * Reads the log from a real topic by the script as it is printed, but that it ends at the end of the topic. What is committed is read
 * by Kafka's own console consumer. The offsets of the log must have no gaps.
 */
export async function runOverKafka(
  brokers: readonly string[],
  features: EventFeatures,
  log: readonly LoggedEvent[],
  output: string,
): Promise<number> {
  const [input, written, rejected] = ['transactions', 'features', 'rejected'].map((name) => `flink-${name}`) as [
    string,
    string,
    string,
  ];
  await fill(brokers, [input, written, rejected], features, log);
  const script = flinkSql(features, { brokers, group: 'flink', input, features: written, rejected }, { checkpointMs: 2000 });
  const bounded = script.replace("'scan.startup.mode' =", "'scan.bounded.mode' = 'latest-offset',\n  'scan.startup.mode' =");
  const file = path.join(output, 'job.sql');
  await mkdir(output, { recursive: true });
  await writeFile(file, `SET 'execution.checkpointing.dir' = 'file://${path.join(output, 'checkpoints')}';\n\n${bounded}`);
  const { memory } = await runFlink(file);
  for (const [topic, folder] of [
    [written, 'features'],
    [rejected, 'rejected'],
  ] as const) {
    const records = await readCommitted(brokers, topic);
    await mkdir(path.join(output, folder));
    await writeFile(path.join(output, folder, 'part.json'), records.map(({ value }) => `${value}\n`).join(''));
  }
  return memory;
}

async function fill(
  brokers: readonly string[],
  topics: readonly string[],
  { fields }: EventFeatures,
  log: readonly LoggedEvent[],
): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  const admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  try {
    // The events are of a time long ago.
    const configEntries = [{ name: 'retention.ms', value: '-1' }];
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({ topic, numPartitions: 4, replicationFactor: 1, configEntries })),
    });
    for (let from = 0; from < log.length; from += BATCH) {
      const messages = log.slice(from, from + BATCH).map(({ partition, timestamp, key, values }) => ({
        ...{ partition, key, timestamp: String(timestamp) },
        value: JSON.stringify(Object.fromEntries(fields.map(({ name }, i) => [name, values[i]]))),
      }));
      await producer.send({ topic: topics[0] ?? '', messages, compression: CompressionTypes.None });
    }
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  }
}
