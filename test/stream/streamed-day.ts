import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { vi } from 'vitest';
import { runStream } from '../../src/stream/process/run-stream.ts';
import { readStreamSettings } from '../../src/stream/settings/read.ts';
import { comparedProject, type Line, linesOfDay } from './compare/compared-project.ts';
import { settingsOf, withLog } from './kafka/fixture.ts';

const TOPICS = ['transactions', 'fraud-scores', 'fraud-dead-letter', 'fraud-alerts'] as const;

/** A day that a stream has scored from a real topic, and from a file, too. */
export interface StreamedDay {
  readonly folder: string;
  readonly lines: readonly Line[];
  /** Records of the scores and of the dead letters as they are in the file. */
  readonly scores: readonly string[];
  readonly dead: readonly string[];
  /** The name that a topic of the job has here; others get names of their own, too. */
  topic(name: string): string;
  create(name: string, partitions?: number): Promise<string>;
  /** Records in a topic and places of transactions. */
  end(topic: string): Promise<number>;
  close(): Promise<void>;
}

/** The topics have two partitions each, and keep records of 1997. */
export async function streamedDay(brokers: readonly string[], count?: number): Promise<StreamedDay> {
  const run = randomUUID().slice(0, 8);
  const topic = (name: string) => `${name}-${run}`;
  const lines = linesOfDay(count);
  const folder = await comparedProject(lines);
  const file = path.join(folder, 'jobs/fraud.yaml');
  const job = TOPICS.reduce(
    (text, name) => text.replace(name, topic(name)),
    (await readFile(file, 'utf8')).replace('localhost:9092', brokers.join(', ')),
  );
  await writeFile(file, `${job}group: group-${run}\nlimits: { batch_events: 50 }\n`);
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const create = async (name: string, partitions = 2) => {
    const configEntries = [{ name: 'retention.ms', value: '-1' }];
    const made = { topic: topic(name), numPartitions: partitions, configEntries };
    await admin.createTopics({ topics: [made], waitForLeaders: true });
    return made.topic;
  };
  const end = async (name: string) => (await admin.fetchTopicOffsets(name)).reduce((sum, { high }) => sum + Number(high), 0);
  for (const name of TOPICS) await create(name);
  const producer = kafka.producer();
  await producer.connect();
  for (let at = 0; at < lines.length; at += 500) {
    const messages = lines.slice(at, at + 500).map((line) => ({
      ...{ key: line.user_id, value: JSON.stringify(line), partition: line.kafka_partition },
      timestamp: String(line.kafka_timestamp),
    }));
    await producer.send({ topic: topic('transactions'), messages });
  }
  await producer.disconnect();
  const [scores, dead] = await Promise.all(
    ['scores.jsonl', 'dead.jsonl'].map(async (name) => (await readFile(path.join(folder, name), 'utf8')).trimEnd().split('\n')),
  );
  await stream(folder, brokers, topic('transactions'), `group-${run}`);
  return { folder, lines, scores: scores ?? [], dead: dead ?? [], topic, create, end, close: () => admin.disconnect() };
}

/** Scores the topic as the command does, until all of it is committed. */
async function stream(folder: string, brokers: readonly string[], topic: string, group: string): Promise<void> {
  const ending = new AbortController();
  const ended = runStream({
    read: () => readStreamSettings('fraud', folder, {}),
    ...{ start: 'earliest', acceptNewGroup: false, acceptFeatures: false },
    ...{ hashKey: undefined, environment: {}, signal: ending.signal },
    console: { info: () => undefined, warn: () => undefined, debug: () => undefined },
    serving: () => undefined,
  });
  await withLog(settingsOf(brokers), async (log) => {
    const facts = await log.describe(topic);
    for (const { partition, end } of facts?.partitions ?? []) {
      const reader = await log.openProducer(`${group}-test`, { group, topic, partition });
      await vi.waitFor(
        async () => {
          if (((await reader.committed())?.offset ?? 0) < end) throw new Error(`partition ${partition} is not scored yet`);
        },
        { timeout: 60_000, interval: 200 },
      );
      await reader.close();
    }
  });
  ending.abort();
  await ended;
}
