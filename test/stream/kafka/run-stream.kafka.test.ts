import { randomUUID } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, it, vi } from 'vitest';
import { runStream } from '../../../src/stream/process/run-stream.ts';
import { readStreamSettings } from '../../../src/stream/settings/read.ts';
import { readCommitted } from '../../kafka/java-client.ts';
import { JOB, streamProject } from '../stream-project.ts';

const brokers = inject('kafka') ?? [];

interface Running {
  readonly lines: string[];
  reload(): void;
  /** As SIGTERM does. */
  end(): Promise<void>;
  readonly ended: Promise<void>;
}

function begin(folder: string): Running {
  const lines: string[] = [];
  const ending = new AbortController();
  const say = (text: string): void => void lines.push(text);
  let reload = (): void => undefined;
  const ended = runStream({
    read: () => readStreamSettings('fraud', folder, {}),
    ...{ start: 'earliest', acceptNewGroup: false, acceptFeatures: false },
    ...{ hashKey: undefined, environment: {}, signal: ending.signal },
    console: { info: say, warn: (text) => say(`warning: ${text}`), debug: () => undefined },
    serving: (how) => {
      reload = how.reload;
    },
  });
  ended.catch(() => undefined);
  const end = async (): Promise<void> => {
    ending.abort();
    await ended;
  };
  return { lines, reload: () => reload(), end, ended };
}

/** Three topics of their own, a project that names them, and a way to send events. */
async function prepared() {
  const run = randomUUID().slice(0, 8);
  const [input, scores, dead, alerts] = ['in', 'scores', 'dead', 'alerts'].map((name) => `${name}-${run}`) as [
    string,
    string,
    string,
    string,
  ];
  const job = `${JOB.replace('localhost:9092', brokers.join(', '))
    .replace('transactions', input)
    .replace('fraud-scores', scores)
    .replace('fraud-dead-letter', dead)
    .replace('fraud-alerts', alerts)}group: group-${run}\nmetrics: { port: 0 }\n`;
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const create = (topics: readonly string[]) =>
    admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 2 })), waitForLeaders: true });
  const producer = kafka.producer();
  await producer.connect();
  const send = async (from: number, count: number): Promise<void> => {
    const messages = Array.from({ length: count }, (_, i) => {
      const user = `u${(from + i) % 5}`;
      const event = { transaction_id: `t${from + i}`, user_id: user, at: Date.now(), amount: 1, merchant: 'm' };
      return { key: user, value: JSON.stringify(event) };
    });
    await producer.send({ topic: input, messages });
  };
  const poison = () => producer.send({ topic: input, messages: [{ key: 'u1', value: 'C0FFEE is not JSON' }] });
  const close = async (): Promise<void> => {
    await producer.disconnect();
    await admin.disconnect();
  };
  return { folder: await streamProject({ job }), input, scores, dead, alerts, create, send, poison, close };
}

/** The value of a metric, summed over its labels. */
async function metric({ lines }: Running, name: string): Promise<number> {
  const address = /http:\S+/.exec(lines.find((line) => line.startsWith('metrics at')) ?? '')?.[0] ?? '';
  const text = await (await fetch(address)).text();
  const found = [...text.matchAll(new RegExp(`^score_batch_stream_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return found.reduce((sum, [, value]) => sum + Number(value), 0);
}

const soon = { timeout: 60_000, interval: 100 };

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'scores a topic once over a pause, another model, an end and a new start',
  async () => {
    const { folder, input, scores, dead, alerts, create, send, poison, close } = await prepared();
    await create([input, scores, dead, alerts]);
    await send(0, 20);
    await poison();
    const first = begin(folder);
    await vi.waitFor(async () => expect(await metric(first, 'events_total')).toBe(20), soon);
    expect(await metric(first, 'rejected_total')).toBe(1);
    expect(await metric(first, 'latency_seconds_count')).toBe(20);

    process.emit('SIGUSR2');
    expect(await metric(first, 'paused')).toBe(1);
    await send(20, 10);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await metric(first, 'events_total')).toBe(20);
    process.emit('SIGUSR2');
    await vi.waitFor(async () => expect(await metric(first, 'events_total')).toBe(30), soon);

    // A bundle that does not prove itself takes no event.
    await cp(path.join(folder, 'model'), path.join(folder, 'next'), { recursive: true });
    const job = await readFile(path.join(folder, 'jobs/fraud.yaml'), 'utf8');
    await writeFile(path.join(folder, 'jobs/fraud.yaml'), job.replace('model: model', 'model: next'));
    const golden = await readFile(path.join(folder, 'next/golden.csv'), 'utf8');
    await writeFile(path.join(folder, 'next/golden.csv'), golden.replaceAll(/,0\.\d/g, ',0.9'));
    first.reload();
    await vi.waitFor(() => expect(first.lines.at(-1)).toMatch(/^warning: the model stays linear 1: /), soon);
    await writeFile(path.join(folder, 'next/golden.csv'), golden);
    const description = await readFile(path.join(folder, 'next/model.yaml'), 'utf8');
    await writeFile(path.join(folder, 'next/model.yaml'), description.replace('version: "1"', 'version: "2"'));
    first.reload();
    await vi.waitFor(() => expect(first.lines.at(-1)).toBe('linear 2 scores from now on, in place of linear 1'), soon);
    await send(30, 10);
    await vi.waitFor(async () => expect(await metric(first, 'events_total')).toBe(40), soon);
    await first.end();
    expect(first.lines.slice(-2)).toEqual(['ending; what is in flight is committed', 'ended']);

    await send(40, 10);
    const second = begin(folder);
    await vi.waitFor(async () => expect(await metric(second, 'events_total')).toBe(10), soon);
    await second.end();
    await close();

    const written = (await readCommitted(brokers, scores)).map(({ key, value }) => ({ key, ...JSON.parse(value ?? '') }));
    expect(written).toHaveLength(50);
    expect(new Set(written.map(({ id }) => id)).size).toBe(50);
    // Five users took turns, so that the n-th event of each saw n events: over the new start, too.
    for (const { id, key, features } of written) {
      const turn = Number(id.slice(1));
      expect([id, key, features.a]).toEqual([id, `u${turn % 5}`, Math.floor(turn / 5) + 1]);
    }
    const versions = new Map(written.map(({ id, model }) => [id, model.version]));
    expect([versions.get('t29'), versions.get('t30'), versions.get('t49')]).toEqual(['1', '2', '2']);
    const letters = await readCommitted(brokers, dead, { count: 1 });
    expect(JSON.parse(letters[0]?.value ?? '')).toMatchObject({ reason: 'not an event', detail: 'not JSON' });
    expect(JSON.stringify(letters)).not.toContain('C0FFEE');
  },
  300_000,
);

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)('says which topics are missing, and how to create them', async () => {
  const { folder, input, scores, dead, alerts, create, close } = await prepared();
  await create([input, scores]);
  const { ended } = begin(folder);
  await expect(ended).rejects.toMatchObject({
    kind: 'configuration',
    message: `Kafka does not have 2 topics of the job: ${dead} (output.dead_letter), ${alerts} (output.alerts)`,
    hint: expect.stringContaining(`--create --topic ${dead} --partitions 2`),
  });
  await close();
});
