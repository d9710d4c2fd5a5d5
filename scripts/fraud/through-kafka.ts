import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, Partitioners } from 'kafkajs';
import { counted, grouped } from '../../src/domain/counted.ts';
import { type KafkaCluster, startKafka } from '../../test/kafka/broker.ts';
import { readCommitted } from '../../test/kafka/java-client.ts';
import { ROOT } from '../root.ts';
import type { Delivery } from './deliveries.ts';

/** Names from the job file. */
const [INPUT, SCORES, DEAD_LETTERS, ALERTS] = ['transactions', 'fraud-scores', 'fraud-dead-letter', 'fraud-alerts'] as const;
const GROUP = 'score-batch-fraud';
/** Records per request of the producer, and the pause after each: the day takes ten seconds. */
const SENT_AT_ONCE = 400;
const PAUSE_MS = 200;
/** How long the reader waits for unexpected records. */
const QUIET_MS = 3000;
const LONGEST_MS = 120_000;

interface Options {
  readonly job: string;
  readonly deliveries: readonly Delivery[];
  readonly partitions: number;
  /** Lines written by `score-batch stream --events`: scores and dead letters. */
  readonly expected: { readonly scores: readonly string[]; readonly deadLetters: readonly string[] };
  readonly say: (text: string) => void;
  /** Called before the broker stops, if it had the expected records. @param environment names the broker for the job */
  readonly lookBack: (environment: NodeJS.ProcessEnv) => void;
}

/**
 * Sends the same events through a real broker that stops with this process, while `score-batch stream` is killed and restarted.
 *
 * @returns whether a reader of committed records found exactly the expected ones
 * @throws Error in one line if Java or Maven is missing
 */
export async function throughKafka({ job, deliveries, partitions, expected, say, lookBack }: Options): Promise<boolean> {
  say('Starting a broker (the first time, Maven brings Kafka)');
  const cluster = await startKafka();
  const kafka = new Kafka({ brokers: [...cluster.brokers], clientId: 'demo', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  let stream: ChildProcess | undefined;
  try {
    for (const topic of [INPUT, SCORES, DEAD_LETTERS, ALERTS]) {
      await cluster.createTopic(topic, { partitions, config: { 'retention.ms': '-1' } });
    }
    await admin.connect();
    say(`Topics ${INPUT}, ${SCORES}, ${DEAD_LETTERS}, ${ALERTS} with ${partitions} partitions each`);
    const start = () => {
      say(`\n$ KAFKA_BROKERS=${cluster.brokers.join(',')} score-batch stream --job ${job} --start earliest &`);
      return spawn(process.execPath, [`${ROOT}dist/cli.js`, 'stream', '--job', job, '--start', 'earliest'], {
        cwd: ROOT,
        env: { ...process.env, KAFKA_BROKERS: cluster.brokers.join(',') },
        stdio: ['ignore', 'inherit', 'inherit'],
      });
    };
    stream = start();
    const sending = send(kafka, deliveries);
    await untilCommitted(admin, stream, deliveries.length / 3);
    stream.kill('SIGKILL');
    await once(stream, 'exit');
    const at = await committed(admin);
    say(`\n$ kill -9 ${stream.pid}  # ${grouped(at)} of ${counted(deliveries.length, 'record')} were committed by then`);
    stream = start();
    const killed = performance.now();
    await untilCommitted(admin, stream, at + 1);
    say(`The first new commit, ${((performance.now() - killed) / 1000).toFixed(1)} s after the second start`);
    await sending;
    await untilCommitted(admin, stream, deliveries.length);
    say(`\n$ kill ${stream.pid}  # all records are committed`);
    stream.kill('SIGTERM');
    if (stream.exitCode === null) await once(stream, 'exit');
    say('Reading the scores with the console consumer of Kafka itself, isolation level read_committed');
    const isSame = await compare(cluster, expected, say);
    if (isSame) lookBack({ KAFKA_BROKERS: cluster.brokers.join(',') });
    return isSame;
  } finally {
    stream?.kill('SIGKILL');
    await admin.disconnect();
    await cluster.stop();
  }
}

async function send(kafka: Kafka, deliveries: readonly Delivery[]): Promise<void> {
  const producer = kafka.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let n = 0; n < deliveries.length; n += SENT_AT_ONCE) {
    const messages = deliveries
      .slice(n, n + SENT_AT_ONCE)
      .map(({ partition, key, value, timestamp }) => ({ partition, key, value, timestamp: String(timestamp) }));
    await producer.send({ topic: INPUT, messages, acks: -1 });
    await sleep(PAUSE_MS);
  }
  await producer.disconnect();
}

/** Number of records before the committed offsets, over all partitions. */
async function committed(admin: Admin): Promise<number> {
  const [found] = await admin.fetchOffsets({ groupId: GROUP, topics: [INPUT] });
  return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

async function untilCommitted(admin: Admin, stream: ChildProcess, records: number): Promise<void> {
  const deadline = Date.now() + LONGEST_MS;
  while ((await committed(admin)) < records) {
    if (stream.exitCode !== null) throw new Error(`score-batch stream ended with ${stream.exitCode}`);
    if (Date.now() > deadline) throw new Error(`score-batch stream did not commit ${records} records in two minutes`);
    await sleep(100);
  }
}

/**
 * What must be equal in both: for a score, everything except the instant of writing. A line of the file also has its position
 * in Kafka, so hash and size of its dead letter differ.
 */
function comparable(line: string): { readonly place: string; readonly rest: string } {
  const { scored_at, ...record } = JSON.parse(line);
  const { partition, offset, reason, detail, feature } = record;
  return {
    place: `${partition}:${offset}`,
    rest: JSON.stringify(reason === undefined ? record : { reason, detail, feature }),
  };
}

async function compare(cluster: KafkaCluster, expected: Options['expected'], say: Options['say']): Promise<boolean> {
  let [lost, doubled, differ] = [0, 0, 0];
  for (const [topic, lines] of [
    [SCORES, expected.scores],
    [DEAD_LETTERS, expected.deadLetters],
  ] as const) {
    const left = new Map(lines.map((line) => Object.values(comparable(line)) as [string, string]));
    const seen = new Set<string>();
    for (const { value } of await readCommitted(cluster.brokers, topic, { quietMs: QUIET_MS })) {
      const { place, rest } = comparable(value ?? '{}');
      if (seen.has(place)) doubled += 1;
      else if (left.get(place) !== rest) differ += 1;
      seen.add(place);
      left.delete(place);
    }
    lost += left.size;
  }
  say(
    `Of ${counted(expected.scores.length, 'score')} and ${counted(expected.deadLetters.length, 'dead letter')}, ${lost} are lost, ${doubled} are doubled, ${differ} differ from those without a broker`,
  );
  return lost + doubled + differ === 0;
}
