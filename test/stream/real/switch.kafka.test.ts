import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, it } from 'vitest';
import { startStream } from './stream-process.ts';
import { closers, eventsOf, STEP_MS, streamTopics } from './stream-topics.ts';
import { expectAsFileMode } from './written.ts';

const brokers = inject('kafka') ?? [];
const EVENTS = 8000;
const PARTITIONS = 4;
/** Field 6 of ONNX's ModelProto, one byte long. */
const DOC_STRING = Buffer.from([0x32, 1, 0x78]);

/** Makes it another model of the same scores: the file gets a comment. */
async function renew(bundle: string): Promise<void> {
  const model = Buffer.concat([await readFile(path.join(bundle, 'model.onnx')), DOC_STRING]);
  await writeFile(path.join(bundle, 'model.onnx'), model);
  const digest = createHash('sha256').update(model).digest('hex');
  const text = await readFile(path.join(bundle, 'model.yaml'), 'utf8');
  const renewed = text.replace('version: "1"', 'version: "2"').replace(/sha256: "\w+"/, `sha256: "${digest}"`);
  await writeFile(path.join(bundle, 'model.yaml'), renewed);
}

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'two processes take another model under load, at the recorded offset of each partition',
  async () => {
    const topics = await streamTopics(brokers, { partitions: PARTITIONS, job: 'limits: { batch_events: 50 }\n' });
    const { folder, send, committed } = topics;
    const begin = Date.now() - EVENTS * STEP_MS;
    const sending = send(eventsOf(0, EVENTS, begin), 500);
    const processes = [startStream(folder), startStream(folder)];
    for (const one of processes) await one.says(/^partition \d is rebuilt/, 2);

    // A bundle whose golden rows fail is refused, said, and the old one keeps scoring.
    const job = path.join(folder, 'jobs/fraud.yaml');
    await writeFile(job, (await readFile(job, 'utf8')).replace('model: model', 'model: next'));
    await cp(path.join(folder, 'model'), path.join(folder, 'next'), { recursive: true });
    const golden = await readFile(path.join(folder, 'next/golden.csv'), 'utf8');
    await writeFile(path.join(folder, 'next/golden.csv'), golden.replace('0.500000000', '0.400000000'));
    for (const one of processes) one.signal('SIGHUP');
    for (const one of processes) {
      await one.says(/^warning: the model stays linear 1: /);
      expect(await one.metric('model_switches_total', 'outcome="refused"')).toBe(1);
    }
    await writeFile(path.join(folder, 'next/golden.csv'), golden);
    await renew(path.join(folder, 'next'));
    await delay(1000);
    for (const one of processes) one.signal('SIGHUP');
    for (const one of processes) await one.says(/^linear 2 scores from now on, in place of linear 1$/);

    await sending;
    await send(closers(PARTITIONS, begin + EVENTS * STEP_MS));
    await topics.untilRead(() => processes.map(({ log }) => log).join('\n'));
    for (const { code, stderr } of await Promise.all(processes.map((one) => one.end()))) expect(code, stderr).toBe(0);

    // The oracle scores with the model that the job names now: the same one under another version.
    const { scores } = await expectAsFileMode(topics);
    const digests = new Map(scores.map(({ model: { version, digest } }) => [version, digest]));
    expect(new Set(digests.values()).size).toBe(2);
    const after = await committed();
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const own = scores.filter((one) => one.partition === partition).sort((a, b) => a.offset - b.offset);
      const versions = own.map(({ model }) => model.version);
      const first = versions.indexOf('2');
      expect(first).toBeGreaterThan(0);
      expect(versions).toEqual([...versions.keys()].map((at) => (at < first ? '1' : '2')));
      const { model, since } = JSON.parse(after.get(partition)?.metadata ?? '');
      // Of the model's file, then of its definition.
      expect(String(model).split(' ')[0]).toBe(digests.get('2'));
      // The offset that is recorded parts the two: between it and the first event there can only be what was not scored.
      expect(since).toBeLessThanOrEqual(own[first]?.offset ?? 0);
      expect(since).toBeGreaterThan(own[first - 1]?.offset ?? Number.POSITIVE_INFINITY);
    }
  },
  180_000,
);
