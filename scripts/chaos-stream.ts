// Kills processes of `score-batch stream` and brokers at random moments while events arrive, and moves partitions by stopping
// and starting processes. Then Kafka's own console consumer reads what was committed: every event must have been scored or
// rejected exactly once, with the scores and features of an uninterrupted run.
//
//   npm run chaos:stream -- --kills 100 --events 1000000
//   npm run chaos:stream -- --kills 10 --events 60000 --as-of event --seed 7
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Partitioners } from 'kafkajs';
import { committed, ended, type LoadCluster, type LoadTopics, makeTopics, startCluster } from '../bench/stream/cluster.ts';
import { loadEvents } from '../bench/stream/events.ts';
import { project } from '../bench/stream/scorers.ts';
import { seededRandom } from '../src/random.ts';
import { type Outputs, readOutputs } from './chaos-stream/outputs.ts';
import { ROOT } from './root.ts';

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    events: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '6' },
    users: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'as-of': { type: 'string', default: 'arrival' },
  },
});
const [kills, events, partitions, users, seed] = [flags.kills, flags.events, flags.partitions, flags.users, flags.seed].map(
  Number,
) as [number, number, number, number, number];
const BATCH = 2000;
const SENT_AT_ONCE = 500;
const random = seededRandom(seed);
const whole = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
const began = performance.now();
const say = (what: string) =>
  process.stdout.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s: ${what}\n`);

say(`seed ${seed}: ${events} events, ${kills} kills, three brokers, as of ${flags['as-of']}`);
const load = await startCluster(3);
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  await load.stop();
}

async function run(): Promise<boolean> {
  const topics = await makeTopics(load, 'payments', { partitions, users, seed });
  const disturbed = scorers(topics, 'disturbed');
  const sending = send(load, topics);
  const counts = await disturb(load, disturbed, sending.done);
  await sending.finished;
  say(
    `all events are sent; ${Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ')}`,
  );
  await disturbed.untilRead();
  await disturbed.stop();
  say(`the input has ${await ends(topics.input)} records`);
  const found = await readOutputs(load.cluster.brokers, topics);
  say(`disturbed: ${found.scored} scored, ${found.rejected} rejected, ${found.doubled} doubled`);

  const calmTopics = { ...topics, scores: 'calm-scores', deadLetter: 'calm-dead', alerts: 'calm-alerts' };
  for (const topic of [calmTopics.scores, calmTopics.deadLetter, calmTopics.alerts])
    await load.cluster.createTopic(topic, { partitions, config: { 'retention.ms': '-1' } });
  const calm = scorers(calmTopics, 'calm');
  calm.start(0);
  await calm.untilRead();
  await calm.stop();
  const expected = await readOutputs(load.cluster.brokers, calmTopics);
  say(`without faults: ${expected.scored} scored, ${expected.rejected} rejected, ${expected.doubled} doubled`);
  return compare(found, expected);
}

function compare(found: Outputs, expected: Outputs): boolean {
  let [lost, different, extra] = [0, 0, 0];
  for (const [place, digest] of expected.records) {
    const other = found.records.get(place);
    if (other === undefined) lost += 1;
    else if (other !== digest) different += 1;
  }
  for (const place of found.records.keys()) if (!expected.records.has(place)) extra += 1;
  say(`${lost} lost, ${found.doubled} doubled, ${different} different, ${extra} that the run without faults does not have`);
  return lost + found.doubled + different + extra === 0;
}

interface Scorers {
  /** Starts or restarts one of the processes. */
  start(which: number): void;
  signal(which: number, signal: NodeJS.Signals): Promise<void>;
  readonly count: number;
  untilRead(): Promise<void>;
  stop(): Promise<void>;
}

function scorers(topics: LoadTopics, group: string): Scorers {
  const folder = project({ brokers: load.cluster.brokers, topics, group, batch: BATCH });
  const file = path.join(folder, 'jobs/fraud.features.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('as_of: arrival', `as_of: ${flags['as-of']}`));
  if (flags['as-of'] === 'event') {
    const job = path.join(folder, 'jobs/fraud.yaml');
    writeFileSync(job, `${readFileSync(job, 'utf8')}idle: 60s\n`);
  }
  const children: (ChildProcess | undefined)[] = [undefined, undefined];
  return {
    count: children.length,
    start(which) {
      const args = [path.join(ROOT, 'dist/cli.js'), 'stream', '--job', 'fraud', '--start', 'earliest', '-C', folder];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      let log = '';
      child.stderr?.on('data', (text) => {
        log = `${log}${text}`.slice(-4000);
      });
      child.once('exit', (code, signal) => {
        if (signal === null && code !== 0 && code !== 143) say(`${group} ${which} ended with ${code}:\n${log}`);
        // Restarts it, as a supervisor would.
        if (children[which] === child && signal === null)
          setTimeout(() => children[which] === child && this.start(which), 1000);
      });
      children[which] = child;
    },
    async signal(which, signal) {
      const child = children[which];
      if (child === undefined) return;
      children[which] = undefined;
      child.kill(signal);
      await ended(child);
    },
    async untilRead() {
      for (let same = 0, before = -1; same < 60; ) {
        const done = await committed(load.kafka, group, topics.input).catch(() => before);
        const end = await ends(topics.input);
        if (done >= end) return;
        same = done === before ? same + 1 : 0;
        before = done;
        await sleep(1000);
      }
      say(`${group} does not go on`);
    },
    async stop() {
      for (const which of children.keys()) await this.signal(which, 'SIGTERM');
    },
  };
}

async function ends(topic: string): Promise<number> {
  const admin = load.kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

async function openLoader(kafka: LoadCluster['kafka']) {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { retries: 100, maxRetryTime: 2000 },
  });
  await producer.connect();
  return producer;
}

/** Sends all events, no faster than the disturbances progress: the last one after the last kill. */
function send(
  { kafka }: LoadCluster,
  topics: LoadTopics,
): { readonly finished: Promise<void>; readonly done: { kills: number } } {
  const done = { kills: 0 };
  const finished = (async () => {
    let producer = await openLoader(kafka);
    const start = Date.now() - events;
    const next = loadEvents({ seed, users, rate: 1000, start });
    for (let n = 0; n < events; ) {
      // Stays in step with the kills, so that each finds work in flight.
      const allowed = done.kills >= kills ? events : Math.ceil(((done.kills + 1) / (kills + 1)) * events);
      if (n >= allowed) {
        await sleep(50);
        continue;
      }
      const messages = Array.from({ length: Math.min(SENT_AT_ONCE, events - n) }, (_, i) => next(n + i));
      try {
        await producer.send({ topic: topics.input, messages, acks: -1 });
      } catch (error) {
        // kafkajs loses count when a broker dies under it. What it sends again may be in the topic twice, as anybody's events may.
        say(`the load's producer failed: ${error instanceof Error ? error.message : error}`);
        await producer.disconnect().catch(() => undefined);
        producer = await openLoader(kafka);
        continue;
      }
      n += messages.length;
    }
    await producer.disconnect();
  })();
  return { finished, done };
}

/** Kills and restarts until the number of kills is reached. */
async function disturb({ cluster }: LoadCluster, processes: Scorers, done: { kills: number }): Promise<Record<string, number>> {
  const counts = { 'processes killed': 0, 'processes ended': 0, 'brokers killed': 0 };
  for (let which = 0; which < processes.count; which += 1) processes.start(which);
  await sleep(8000);
  while (done.kills < kills) {
    const dice = random();
    if (dice < 0.6) {
      const which = whole(0, processes.count - 1);
      await processes.signal(which, 'SIGKILL');
      counts['processes killed'] += 1;
      await sleep(whole(0, 1500));
      processes.start(which);
    } else if (dice < 0.8) {
      const which = whole(0, processes.count - 1);
      await processes.signal(which, 'SIGTERM');
      counts['processes ended'] += 1;
      await sleep(whole(0, 1500));
      processes.start(which);
    } else {
      const broker = whole(0, 2);
      await cluster.kill(broker);
      counts['brokers killed'] += 1;
      await sleep(whole(1000, 4000));
      await cluster.restart(broker);
    }
    done.kills += 1;
    if (done.kills % 10 === 0) say(`${done.kills} disturbances`);
    await sleep(whole(500, 6000));
  }
  return counts;
}
