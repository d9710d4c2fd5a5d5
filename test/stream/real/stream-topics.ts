import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, Partitioners } from 'kafkajs';
import { onTestFinished } from 'vitest';
import { FEATURES, JOB, streamProject } from '../stream-project.ts';
import { until } from './stream-process.ts';

/** Its columns make lines of a file into records of a log. */
const LOGGED_FEATURES = `${FEATURES.replace(/features:\n[\s\S]*$/, '')}log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }
features:
  a: { count: events, window: 5m }
  amount_5m: { sum: amount, window: 5m }
  merchants_5m: { distinct: merchant, window: 5m }
  last_merchant: { last: merchant, window: 1m }
  since_last: { since: events, window: 5m }
`;

/** A record of the input. */
export interface Sent {
  readonly key: string | null;
  readonly value: string | Buffer | null;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly partition?: number;
}

export interface TopicOptions {
  readonly partitions?: number;
  readonly replication?: number;
  readonly asOf?: 'arrival' | 'event';
  readonly features?: string;
  /** Lines at the end of the stream job file. */
  readonly job?: string;
  /** In place of `kafka: { brokers: … }`. */
  readonly kafka?: string;
  readonly config?: Readonly<Record<string, string>>;
  readonly outputConfig?: Readonly<Record<string, string>>;
}

/** A stream job with topics of its own. */
export interface StreamTopics {
  readonly brokers: readonly string[];
  /** Of the project: its job is `fraud`, its bundle `model`. */
  readonly folder: string;
  readonly input: string;
  readonly scores: string;
  readonly dead: string;
  readonly group: string;
  readonly admin: Admin;
  send(records: readonly Sent[], perSecond?: number): Promise<void>;
  create(topic: string, partitions?: number, config?: Readonly<Record<string, string>>): Promise<void>;
  /** Committed offset and metadata by partition. */
  committed(): Promise<ReadonlyMap<number, Committed>>;
  /** Until all of the input is read and committed. */
  untilRead(running?: () => string): Promise<void>;
  /** Until, as of event, all is read and all but the last record of each partition, its closer, is scored. */
  untilScored(running?: () => string): Promise<void>;
}

/** Of a partition. */
interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

const PER_REQUEST = 200;

export async function streamTopics(brokers: readonly string[], options: TopicOptions = {}): Promise<StreamTopics> {
  const { partitions = 2, replication = -1, asOf = 'arrival', features = LOGGED_FEATURES, job = '' } = options;
  const run = randomUUID().slice(0, 8);
  const [input, scores, dead, alerts, group] = ['in', 'scores', 'dead', 'alerts', 'group'].map((one) => `${one}-${run}`) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const text = `${JOB.replace('kafka: { brokers: [localhost:9092] }', options.kafka ?? `kafka: { brokers: [${brokers}] }`)
    .replace('transactions', input)
    .replace('fraud-scores', scores)
    .replace('fraud-dead-letter', dead)
    .replace('fraud-alerts', alerts)}group: ${group}\nmetrics: { port: 0 }\n${job}`;
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 2000 } });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
  onTestFinished(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });
  const create = async (topic: string, count = partitions, config: Readonly<Record<string, string>> = {}) => {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    const wanted = { topic, numPartitions: count, replicationFactor: replication, configEntries };
    await admin.createTopics({ topics: [wanted], waitForLeaders: false });
    // A broker that just answered may not know it yet.
    const isThere = async () =>
      (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.every(({ leader }) => leader >= 0) === true;
    await until(
      () => isThere().catch(() => false),
      () => `${topic} was not made`,
    );
  };
  await create(input, partitions, options.config);
  for (const topic of [scores, dead, alerts]) await create(topic, partitions, options.outputConfig);
  const committed = async () => {
    // The group's coordinator may be another broker now, or there is none yet.
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [input] }).catch(() => []);
    return new Map(
      (found?.partitions ?? [])
        .filter(({ offset }) => Number(offset) >= 0)
        .map(({ partition, offset, metadata }) => [partition, { offset: Number(offset), metadata: metadata ?? '' }]),
    );
  };
  const untilCommitted = async (isDone: (committed: Committed, end: number) => boolean, running = () => '') => {
    let shown = '';
    await until(
      async () => {
        const [ends, done] = await Promise.all([admin.fetchTopicOffsets(input), committed()]);
        shown = JSON.stringify({ ends, done: [...done] });
        return ends.every(({ partition, high }) => {
          const found = done.get(partition);
          return Number(high) === 0 || (found !== undefined && isDone(found, Number(high)));
        });
      },
      () => `not all is committed: ${shown}\n${running()}`,
    );
  };
  return {
    brokers,
    folder: await streamProject({ job: text, features: features.replace('as_of: arrival', `as_of: ${asOf}`) }),
    ...{ input, scores, dead, group, admin, committed },
    create,
    async send(records, perSecond) {
      const began = Date.now();
      for (let i = 0; i < records.length; i += PER_REQUEST) {
        const messages = records.slice(i, i + PER_REQUEST).map((one) => ({ ...one, timestamp: `${one.timestamp}` }));
        await producer.send({ topic: input, messages });
        if (perSecond !== undefined) await delay(Math.max(0, began + ((i + PER_REQUEST) / perSecond) * 1000 - Date.now()));
      }
    },
    untilRead: (running) => untilCommitted(({ offset }, end) => offset === end, running),
    // What became due with the last record is scored in further transactions, whose metadata has the lowest offset that is not scored.
    untilScored: (running) =>
      untilCommitted(({ offset, metadata }, end) => offset === end && JSON.parse(metadata).pending >= end - 1, running),
  };
}

/** Between two events. A user has sixty of them in five minutes. */
export const STEP_MS = 100;

/** Events of 50 users, some out of order, some late, some twice: numbered from 0, the same for the same numbers. */
export function eventsOf(from: number, count: number, begin: number): Sent[] {
  return Array.from({ length: count }, (_, at) => {
    const i = from + at;
    const timestamp = begin + i * STEP_MS;
    const late = i % 211 === 210 ? 8000 : 0;
    const twice = i % 97 === 96 ? i - 50 : i;
    return event(twice, begin + twice * STEP_MS - ((twice * 7919) % 3000) - (twice === i ? late : 0), timestamp);
  });
}

/** @param at its time; `timestamp` is Kafka's */
export function event(i: number, at: number, timestamp = at, user = `u${(i * 31) % 50}`): Sent {
  const fields = { transaction_id: `t${i}`, user_id: user, at, amount: (i * 37) % 11, merchant: `m${(i * 13) % 7}` };
  return { key: user, value: JSON.stringify(fields), timestamp };
}

/** An event for each partition after all others, so that as of event the others are due. */
export function closers(partitions: number, at: number): Sent[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const fields = { transaction_id: `end ${partition}`, user_id: `end ${partition}`, at, amount: 0, merchant: 'end' };
    return { key: fields.user_id, value: JSON.stringify(fields), timestamp: at, partition };
  });
}
