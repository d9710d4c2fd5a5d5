import { once } from 'node:events';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { type KafkaCluster, startKafka } from '../../test/kafka/broker.ts';
import { type LoadEvent, loadUsers } from './events.ts';

/** Brokers with the topics of the load. */
export interface LoadCluster {
  readonly cluster: KafkaCluster;
  readonly kafka: Kafka;
  stop(): Promise<void>;
}

/** Records per request of the load's producer. */
const BATCH = 5000;

export async function startCluster(brokers: 1 | 3): Promise<LoadCluster> {
  const cluster = await startKafka(brokers === 3 ? { brokers, replication: 3, minInSyncReplicas: 2 } : {});
  const kafka = new Kafka({ brokers: [...cluster.brokers], clientId: 'load', logLevel: logLevel.NOTHING });
  return { cluster, kafka, stop: () => cluster.stop() };
}

/** The topics of one measurement, with unique names; the user topic is already filled. */
export interface LoadTopics {
  readonly input: string;
  readonly scores: string;
  readonly deadLetter: string;
  readonly alerts: string;
  readonly users: string;
}

export async function makeTopics(
  { cluster, kafka }: LoadCluster,
  name: string,
  { partitions, users, seed }: { readonly partitions: number; readonly users: number; readonly seed: number },
): Promise<LoadTopics> {
  const topics = {
    input: name,
    scores: `${name}-scores`,
    deadLetter: `${name}-dead`,
    alerts: `${name}-alerts`,
    users: `${name}-users`,
  };
  for (const topic of [topics.input, topics.scores, topics.deadLetter, topics.alerts])
    await cluster.createTopic(topic, { partitions, config: { 'retention.ms': '-1' } });
  await cluster.createTopic(topics.users, {
    partitions: 1,
    config: { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(30 * 86_400_000) },
  });
  await produce(kafka, topics.users, loadUsers({ seed, users }));
  return topics;
}

/** Writes all records as fast as possible. */
export async function produce(
  kafka: Kafka,
  topic: string,
  events: Iterable<LoadEvent & { readonly timestamp?: string }>,
): Promise<void> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  let messages: (LoadEvent & { readonly timestamp?: string })[] = [];
  const send = async () => {
    if (messages.length > 0) await producer.send({ topic, messages });
    messages = [];
  };
  for (const event of events) {
    messages.push(event);
    if (messages.length === BATCH) await send();
  }
  await send();
  await producer.disconnect();
}

/** Sum of a group's committed offsets over all partitions; 0 for a partition without a commit. */
export async function committed(kafka: Kafka, group: string, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  } finally {
    await admin.disconnect();
  }
}

/** Reads committed records of a topic, from now until `close`. */
export async function follow(
  kafka: Kafka,
  topic: string,
  group: string,
  each: (value: string) => void,
): Promise<{ close(): Promise<void> }> {
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 10, readUncommitted: false });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 32,
    eachMessage: async ({ message }) => each(message.value?.toString() ?? ''),
  });
  await joined;
  return { close: () => consumer.disconnect() };
}

export async function ended(child: import('node:child_process').ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
