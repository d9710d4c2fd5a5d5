import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runFile } from '../../../src/stream/process/run-file.ts';
import { readStreamSettings } from '../../../src/stream/settings/read.ts';
import { FEATURES, streamProject } from '../stream-project.ts';

const START = Date.UTC(2026, 10, 27, 12);

function line(id: string, user: string, seconds: number, more: object = {}): string {
  return JSON.stringify({ transaction_id: id, user_id: user, at: START + seconds * 1000, amount: 1, merchant: 'm', ...more });
}

async function run(lines: readonly string[], options: Parameters<typeof streamProject>[0] = {}) {
  const folder = await streamProject({ ...options, files: { 'events.jsonl': lines.join('\n'), ...options.files } });
  const settings = await readStreamSettings('fraud', folder, {});
  const said: string[] = [];
  const counts = await runFile({
    ...{ settings, folder, attributes: undefined, hashKey: undefined, partitions: 1, events: 'events.jsonl' },
    ...{ out: 'scores.jsonl', deadLetter: 'dead.jsonl', alerts: 'alerts.jsonl' },
    console: { info: (text) => void said.push(text), warn: (text) => void said.push(`warning: ${text}`) },
    signal: new AbortController().signal,
  });
  const read = async (name: string) =>
    (await readFile(path.join(folder, name), 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map((text) => JSON.parse(text));
  return {
    counts,
    said,
    scores: await read('scores.jsonl'),
    dead: await read('dead.jsonl'),
    alerts: await read('alerts.jsonl'),
  };
}

it('scores each event of a file once, decides, and puts aside the rest without its values', async () => {
  const secret = 'C0FFEE-secret';
  const found = await run([
    line('t1', 'u1', 0),
    line('t2', 'u1', 10, { amount: 5 }),
    line('t2', 'u1', 10, { amount: 5 }),
    line('t3', 'u2', 20, { amount: null }),
    line('t4', 'u1', 1),
    `{"transaction_id":"t5","user_id":"u1","at":"${secret}"}`,
    secret,
    line('t6', 'u1', 400, { amount: -40 }),
  ]);
  const { scores, dead, alerts, counts, said } = found;
  expect(scores.map(({ id, features }) => [id, features])).toEqual([
    ['t1', { a: 1, amount_5m: 1, since_last: null }],
    ['t2', { a: 2, amount_5m: 6, since_last: 10_000 }],
    ['t3', { a: 1, amount_5m: null, since_last: null }],
    ['t6', { a: 1, amount_5m: -40, since_last: null }],
  ]);
  const sigmoid = (x: number) => Math.round(1e6 / (1 + Math.exp(-x))) / 1e6;
  for (const [i, x] of [0.25, -0.5, 0.5, 10.5].entries()) expect(scores[i].score).toBeCloseTo(sigmoid(x), 5);
  expect(scores.map(({ decision }) => decision)).toEqual(['review', 'approve', 'review', 'decline']);
  expect(alerts).toEqual([scores[3]]);
  expect(dead.map(({ reason, detail }) => [reason, detail])).toEqual([
    ['late', undefined],
    ['wrong type', 'at'],
    ['not an event', 'not JSON'],
  ]);
  expect(JSON.stringify(dead)).not.toContain(secret);
  expect(counts).toMatchObject({ events: 8, scored: 4, duplicates: 1, alerts: 1 });
  expect(said[0]).toMatch(
    /^read 8 events in .* 4 scored, 1 alert, 1 duplicate, rejected: 1 late, 1 wrong type, 1 not an event$/,
  );
});

it('scores as of event what waits at the end of the file, and marks nothing idle', async () => {
  const features = FEATURES.replace('as_of: arrival', 'as_of: event');
  const { scores } = await run([line('t2', 'u1', 2), line('t1', 'u1', 1), line('t3', 'u1', 3)], { features });
  expect(scores.map(({ id, features: { a }, idle }) => [id, a, idle])).toEqual([
    ['t1', 1, undefined],
    ['t2', 2, undefined],
    ['t3', 3, undefined],
  ]);
});

it('warns where most events are late and nothing shows whose clock is ahead', async () => {
  const lines = [line('ahead', 'u1', 86_400), ...Array.from({ length: 5 }, (_, i) => line(`t${i}`, 'u1', i))];
  const warning = /^warning: 5 of 6 events are late, and no line has kafka_timestamp, Kafka's timestamp: an event whose at is/;
  expect((await run(lines)).said.at(-1)).toMatch(warning);
  const stamped = lines.map((text, i) => JSON.stringify({ ...JSON.parse(text), kafka_timestamp: START + i * 1000 }));
  const { said, counts } = await run(stamped);
  expect(counts.rejected).toEqual(new Map([['ahead of its timestamp', 1]]));
  expect(said.filter((text) => text.startsWith('warning: '))).toEqual([]);
});

it('leaves the outputs as they are where there is no such file of events', async () => {
  const folder = await streamProject({ files: { 'scores.jsonl': 'earlier\n' } });
  const settings = await readStreamSettings('fraud', folder, {});
  const running = runFile({
    ...{ settings, folder, attributes: undefined, hashKey: undefined, partitions: 1, events: 'gone.jsonl' },
    ...{ out: 'scores.jsonl', deadLetter: undefined, alerts: undefined },
    console: { info: () => undefined, warn: () => undefined },
    signal: new AbortController().signal,
  });
  await expect(running).rejects.toMatchObject({ kind: 'usage', message: 'gone.jsonl does not exist' });
  expect(await readFile(path.join(folder, 'scores.jsonl'), 'utf8')).toBe('earlier\n');
});
