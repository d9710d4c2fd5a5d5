// Events per second, end-to-end latency and recovery time of `score-batch stream`, compared with a plain Python consumer
// without guarantees. A real Kafka runs on this machine and shares its cores.
//
//   npm run bench:stream -- --setup
//   npm run bench:stream -- --events 300000 --rounds 3
//   npm run bench:stream -- --cases latency
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import {
  committed,
  ended,
  follow,
  type LoadCluster,
  type LoadTopics,
  makeTopics,
  produce,
  startCluster,
} from './stream/cluster.ts';
import { loadEvents } from './stream/events.ts';
import { flinkFeatures } from './stream/flink.ts';
import { PYTHON, SCORE_BATCH } from './stream/scorers.ts';

const { values: flags } = parseArgs({
  options: {
    setup: { type: 'boolean', default: false },
    events: { type: 'string', default: '300000' },
    users: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
    batch: { type: 'string', default: '5000' },
    brokers: { type: 'string', default: '1' },
    cases: { type: 'string', default: 'rate,processes,latency,recovery,flink' },
    peers: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const [events, users, rounds, seconds, batch] = [flags.events, flags.users, flags.rounds, flags.seconds, flags.batch].map(
  Number,
) as [number, number, number, number, number];
const SEED = 7;
/** Events per second of event time; the latency cases also send at this rate. */
const RATE = 1000;
const TURN_MS = 20;
const POLL_MS = 100;
const scorers = flags.peers ? [SCORE_BATCH, PYTHON] : [SCORE_BATCH];
let measured = 0;

if (flags.setup) setUp();
else await measure(flags.cases.split(','));

function setUp(): void {
  const folder = path.join(ROOT, '.tools/stream-peer');
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  const requirements = path.join(ROOT, 'bench/stream/requirements.txt');
  execFileSync(path.join(folder, 'bin/pip'), ['install', '--quiet', '-r', requirements], { stdio: 'inherit' });
}

async function measure(cases: readonly string[]): Promise<void> {
  const load = await startCluster(flags.brokers === '3' ? 3 : 1);
  try {
    if (cases.includes('rate')) await rates(load, 1);
    if (cases.includes('processes')) await rates(load, 2);
    if (cases.includes('latency')) await latencies(load);
    if (cases.includes('recovery')) await recoveries(load);
    if (cases.includes('flink')) await flink(load);
  } finally {
    await load.stop();
  }
}

/** Events waiting in the topic, scored as fast as possible. Measured from the first tenth on, so without the start. */
async function rates(load: LoadCluster, processes: number): Promise<void> {
  const results = new Map<string, { readonly perSecond: number; readonly wall: number; readonly memory: number }[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const scorer of round % 2 === 0 ? scorers : scorers.toReversed()) {
      const topics = await makeTopics(load, nextName('rate'), { partitions: 4, users, seed: SEED });
      const next = loadEvents({ seed: SEED, users, rate: RATE, start: Date.now() - (events / RATE) * 1000 });
      await produce(
        load.kafka,
        topics.input,
        lines(events, (n) => next(n)),
      );
      const group = `${topics.input}-group`;
      const began = performance.now();
      const setting = { brokers: load.cluster.brokers, topics, group, batch };
      const children = Array.from({ length: processes }, () => scorer.start(setting));
      let [warm, memory] = [undefined as { readonly at: number; readonly done: number } | undefined, 0];
      for (;;) {
        const done = await committed(load.kafka, group, topics.input);
        if (warm === undefined && done >= events / 10) warm = { at: performance.now(), done };
        memory = Math.max(memory, ...children.map(({ pid }) => residentMiB(pid)));
        if (done >= events) break;
        if (children.some(({ exitCode }) => exitCode !== null)) throw new Error(`${scorer.name} ended early`);
        await sleep(POLL_MS);
      }
      const end = performance.now();
      const { at, done } = warm ?? { at: began, done: 0 };
      const result = { perSecond: ((events - done) / (end - at)) * 1000, wall: (end - began) / 1000, memory };
      results.set(scorer.name, [...(results.get(scorer.name) ?? []), result]);
      for (const child of children) child.kill('SIGTERM');
      await Promise.all(children.map(ended));
    }
  }
  print(
    `\n| ${processes === 1 ? 'one process' : `${processes} processes`}, ${events} events | events/s | with its start, s | peak MiB |`,
  );
  print('| :-- | --: | --: | --: |');
  for (const [name, all] of results) {
    const of = (figure: 'perSecond' | 'wall' | 'memory', digits: number) =>
      spread(
        all.map((one) => one[figure]),
        digits,
      );
    print(`| ${name} | ${of('perSecond', 0)} | ${of('wall', 1)} | ${of('memory', 0)} |`);
  }
}

/** From when an event is sent, which is its time, until a reader of committed scores has its score. */
async function latencies(load: LoadCluster): Promise<void> {
  print(`\n| ${RATE} events/s | partitions | p50 ms | p99 ms | scored |`);
  print('| :-- | --: | --: | --: | --: |');
  for (const partitions of [2, 12, 32]) {
    for (const scorer of scorers) {
      const topics = await makeTopics(load, nextName('latency'), { partitions, users, seed: SEED });
      const child = scorer.start({ brokers: load.cluster.brokers, topics, group: `${topics.input}-group`, batch });
      const took: number[] = [];
      const sent = new Map<string, number>();
      const reader = await follow(load.kafka, topics.scores, `${topics.input}-reader`, (value) => {
        const id = (JSON.parse(value) as { id: string }).id;
        const at = sent.get(id);
        if (at !== undefined) took.push(Date.now() - at);
      });
      // Warms up: classes are loaded, code is compiled, the group becomes stable.
      await steady(load, topics.input, 8, 0, undefined);
      await steady(load, topics.input, seconds, 1_000_000, sent);
      await sleep(2000);
      child.kill('SIGTERM');
      await ended(child);
      await reader.close();
      took.sort((a, b) => a - b);
      const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
      print(`| ${scorer.name} | ${partitions} | ${at(0.5)} | ${at(0.99)} | ${took.length} of ${sent.size} |`);
    }
  }
}

/** From SIGKILL and an immediate restart to the first committed score. */
async function recoveries(load: LoadCluster): Promise<void> {
  const seen: number[] = [];
  const topics = await makeTopics(load, nextName('recovery'), { partitions: 4, users, seed: SEED });
  const setting = { brokers: load.cluster.brokers, topics, group: `${topics.input}-group`, batch };
  let last = 0;
  const reader = await follow(load.kafka, topics.scores, `${topics.input}-reader`, () => {
    last = performance.now();
  });
  let child = SCORE_BATCH.start(setting);
  let stopped = false;
  const sending = (async () => {
    for (let n = 0; !stopped; n += 1) await steady(load, topics.input, 5, n * 10_000, undefined);
  })();
  await sleep(15_000);
  for (let round = 0; round < rounds; round += 1) {
    child.kill('SIGKILL');
    await ended(child);
    const killed = performance.now();
    child = SCORE_BATCH.start(setting);
    await sleep(1000);
    for (last = 0; last === 0; ) await sleep(POLL_MS);
    seen.push((last - killed) / 1000);
    await sleep(10_000);
  }
  stopped = true;
  await sending;
  child.kill('SIGTERM');
  await ended(child);
  await reader.close();
  print(`\nFrom SIGKILL to the first committed score, ${RATE} events/s: ${spread(seen, 1)} s`);
}

/** The same features in Flink SQL, without a model, from start to end. */
async function flink(load: LoadCluster): Promise<void> {
  const seen: { readonly seconds: number; readonly memory: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const topics = await fill(load, 'flink');
    seen.push(await flinkFeatures(load.cluster.brokers, topics));
  }
  const perSecond = spread(
    seen.map((one) => events / one.seconds),
    0,
  );
  const memory = spread(
    seen.map((one) => one.memory / 2 ** 20),
    0,
  );
  print(`\nFlink SQL, the features without a model, its start included: ${perSecond} events/s, ${memory} MiB`);
}

/** New topics, with all events in the input. */
async function fill(load: LoadCluster, what: string): Promise<LoadTopics> {
  const topics = await makeTopics(load, nextName(what), { partitions: 4, users, seed: SEED });
  const next = loadEvents({ seed: SEED, users, rate: RATE, start: Date.now() - (events / RATE) * 1000 });
  await produce(
    load.kafka,
    topics.input,
    lines(events, (n) => next(n)),
  );
  return topics;
}

/** Sends RATE events per second; an event's time is when it is sent. */
async function steady(
  { kafka }: LoadCluster,
  topic: string,
  forSeconds: number,
  first: number,
  sent: Map<string, number> | undefined,
): Promise<void> {
  const { Partitioners } = await import('kafkajs');
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const next = loadEvents({ seed: SEED + first, users, rate: RATE, start: 0 });
  const began = performance.now();
  const count = forSeconds * RATE;
  for (let n = 0; n < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - began) * RATE) / 1000));
    if (due > n) {
      const now = Date.now();
      const messages = [...lines(due - n, (i) => next(first + n + i, now))];
      for (let i = n; i < due; i += 1) sent?.set(`t${SEED + first}-${first + i}`, now);
      n = due;
      // Not awaited: a slow answer must not slow the load down.
      void producer.send({ topic, messages, acks: -1 });
    }
    await sleep(TURN_MS);
  }
  await sleep(500);
  await producer.disconnect();
}

function* lines<T>(count: number, make: (n: number) => T): Generator<T> {
  for (let n = 0; n < count; n += 1) yield make(n);
}

function residentMiB(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const pages = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return Number(pages) / 1024;
  } catch {
    return 0;
  }
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const show = (value: number | undefined) => (value ?? Number.NaN).toFixed(digits);
  return `${show(sorted[Math.floor(sorted.length / 2)])} (${show(sorted[0])} to ${show(sorted.at(-1))})`;
}

function nextName(what: string): string {
  measured += 1;
  return `${what}-${measured}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
