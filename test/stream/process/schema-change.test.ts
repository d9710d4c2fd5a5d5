import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { switchModel } from '../../../src/stream/process/model-switch.ts';
import { runFile } from '../../../src/stream/process/run-file.ts';
import { openScorer } from '../../../src/stream/score/open-scorer.ts';
import { readStreamSettings } from '../../../src/stream/settings/read.ts';
import { FEATURES, JOB, streamProject } from '../stream-project.ts';

// The schema of events changes while a stream runs: producers and feature file are never changed at the same moment.

const START = Date.UTC(2026, 10, 27, 12);
const VALUE = 'C0FFEE-secret';
const EVENT = { user_id: 'u1', at: START, amount: 2, merchant: 'm' };

type Project = NonNullable<Parameters<typeof streamProject>[0]>;

/** One event before the change, and one like it after. */
async function scored(after: object, options: Project = {}) {
  const lines = [EVENT, after].map((event, i) => JSON.stringify({ transaction_id: `t${i}`, ...event }));
  const folder = await streamProject({ ...options, files: { 'events.jsonl': lines.join('\n') } });
  const settings = await readStreamSettings('fraud', folder, {});
  await runFile({
    ...{ settings, folder, attributes: undefined, hashKey: undefined, partitions: 1, events: 'events.jsonl' },
    ...{ out: 'scores.jsonl', deadLetter: 'dead.jsonl', alerts: undefined },
    console: { info: () => undefined, warn: () => undefined },
    signal: new AbortController().signal,
  });
  const read = async (name: string) =>
    (await readFile(path.join(folder, name), 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { scores: await read('scores.jsonl'), dead: await read('dead.jsonl') };
}

describe('producers change an event', () => {
  it('and a new field changes nothing, whatever it holds', async () => {
    const plain = await scored(EVENT);
    const { scores, dead } = await scored({ ...EVENT, device: { id: VALUE, seen: [1, 2] } });
    expect(dead).toEqual([]);
    const withoutInstant = ({ scored_at: _at, ...score }: Record<string, unknown>) => score;
    expect(scores.map(withoutInstant)).toEqual(plain.scores.map(withoutInstant));
    expect(JSON.stringify(scores)).not.toContain(VALUE);
  });

  it.each([
    ['is left out', undefined],
    ['is null', null],
  ])('and a field that %s is null, in windows and by the rule of the bundle', async (_, amount) => {
    const { scores, dead } = await scored({ ...EVENT, amount });
    expect(dead).toEqual([]);
    // The sum is that of the event before.
    expect(scores.map(({ features }) => [features.a, features.amount_5m])).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('and a null that the bundle does not take is a dead letter, named by its feature', async () => {
    // `a` takes no null; here it is the field itself.
    const job = JOB.replace('features: { b: amount_5m }', 'features: { a: amount, b: amount_5m }');
    const { scores, dead } = await scored({ ...EVENT, amount: undefined }, { job });
    expect(scores.map(({ id }) => id)).toEqual(['t0']);
    expect(dead).toMatchObject([{ reason: 'refused by the model', feature: 'a', offset: 1 }]);
  });

  it.each([
    ['a text for a number', { amount: VALUE }, 'wrong type', 'amount'],
    ['an object for a text', { merchant: { name: VALUE } }, 'wrong type', 'merchant'],
    ['a fraction for a whole number', { amount: 2.5 }, 'wrong type', 'amount'],
    ['ISO text for milliseconds', { at: '2026-11-27T12:00:00Z' }, 'wrong type', 'at'],
    ['a number for the id', { transaction_id: 7 }, 'wrong type', 'transaction_id'],
    ['another name of the key', { user_id: undefined, user: VALUE }, 'no key', undefined],
    ['another name of the time', { at: undefined, time: START }, 'no time', undefined],
  ])('and %s is a dead letter with the field and without its value', async (_, change, reason, detail) => {
    const { scores, dead } = await scored({ ...EVENT, ...change });
    expect(scores.map(({ id }) => id)).toEqual(['t0']);
    expect(dead).toMatchObject([detail === undefined ? { reason, offset: 1 } : { reason, detail, offset: 1 }]);
    expect(JSON.stringify(dead)).not.toContain(VALUE);
    expect(JSON.stringify(dead)).not.toContain('2026-11-27T12:00:00Z');
  });
});

// That the next start refuses it, and takes it with --accept-features: test/stream/partition/bad-input.test.ts
it('a running stream does not take a feature file that gains a field and a feature, and says so', async () => {
  const folder = await streamProject();
  const read = () => readStreamSettings('fraud', folder, {});
  const settings = await read();
  const said: string[] = [];
  const console = { info: (text: string) => void said.push(text), warn: (text: string) => void said.push(text) };
  const model = await switchModel({ settings, attributes: [], read, open: openScorer, console });
  const gained = FEATURES.replace('  merchant: string\n', '  merchant: string\n  country: string\n').concat(
    '  countries_5m: { distinct: country, window: 5m }\n',
  );
  await writeFile(path.join(folder, 'jobs/fraud.features.yaml'), gained);
  const now = await read();
  expect(now.features.digest).not.toBe(settings.features.digest);
  const swap = () => Promise.reject(new Error('it was taken'));
  expect(await model.renew({ swap, partitions: [] })).toBe('refused');
  expect(said.join('\n')).toContain('more than the model has changed in the stream job file: features_file');
  await writeFile(path.join(folder, 'jobs/fraud.features.yaml'), FEATURES.replace('as_of: arrival', 'as_of: event'));
  const job = JOB.replace('review: 0.5', 'review: 0.6').replace('alert_on: [decline]', 'alert_on: [review]');
  await writeFile(path.join(folder, 'jobs/fraud.yaml'), `${job}idle: 10s\nlimits: { message: 10KB }\n`);
  await model.renew({ swap, partitions: [] });
  expect(said.at(-1)).toContain('in the stream job file: features_file, decision, alert_on, limits, idle\n');
  await model.close();
});
