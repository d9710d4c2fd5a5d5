import { describe, expect, it } from 'vitest';
import { EXIT_CODES, type ScoreBatchError } from '../../../src/errors.ts';
import { TooLargeError } from '../../../src/stream/log.ts';
import type { FlowOptions } from '../../../src/stream/partition/ports.ts';
import { readCommitted } from '../simulation/broker.ts';
import { EPOCH } from '../simulation/input.ts';
import { FEATURES } from '../simulation/oracle.ts';
import { OUTPUTS, SILENT } from '../simulation/simulate.ts';
import { append, type Place, place, SETTINGS } from './one-process.ts';

type Settings = FlowOptions['settings'];
const EVENT: Settings = { ...SETTINGS, features: { ...FEATURES, asOf: 'event' } };
const MARKED: FlowOptions['outputs'] = {
  ...OUTPUTS,
  scored: (one) =>
    OUTPUTS.scored(one).map((record) => ({
      ...record,
      value: JSON.stringify({ ...JSON.parse(String(record.value)), partial: one.due.partial ?? false }),
    })),
};

interface Score {
  readonly offset: number;
  readonly features: readonly unknown[];
  readonly partial: boolean;
}

function scoresOf({ broker }: Place): Score[] {
  return readCommitted(broker)
    .map(({ value }) => JSON.parse(String(value)) as Score & { reason?: string })
    .filter(({ reason }) => reason === undefined);
}

/** An event a second, of one key, from an offset on. */
const seconds = (count: number) => Array.from({ length: count }, () => ({ key: 'k' }));

describe.each([
  ['arrival', SETTINGS],
  ['event', EVENT],
] as const)('as of %s', (asOf, settings) => {
  it('begins at the end with whole windows, and scores nothing of before', async () => {
    const topic = place();
    append(topic.broker, seconds(20));
    expect(await topic.run({ start: 'latest', settings, outputs: MARKED })).toBeUndefined();
    append(topic.broker, seconds(20));
    expect(await topic.run({ start: 'latest', settings, outputs: MARKED })).toBeUndefined();
    const scores = scoresOf(topic);
    expect(scores.map(({ offset }) => offset)).toEqual(Array.from({ length: asOf === 'event' ? 17 : 20 }, (_, i) => 20 + i));
    // Six events within 5 s, four within 3 s.
    for (const { features, partial } of scores) expect([features, partial]).toEqual([[6, 4, 1000], false]);
  });

  it('marks what may miss events that the log had dropped before the group began', async () => {
    const topic = place();
    append(topic.broker, seconds(60));
    const [input] = topic.broker.input;
    if (input !== undefined) input.begin = 10;
    expect(await topic.run({ settings, outputs: MARKED })).toBeUndefined();
    const scores = scoresOf(topic);
    expect(scores[0]).toMatchObject({ offset: 10, features: [1, 1, null], partial: true });
    // Until the skew and twice the longest window and lateness after the first record.
    expect(scores.filter(({ partial }) => partial).map(({ offset }) => offset)).toEqual(
      Array.from({ length: 15 }, (_, i) => 10 + i),
    );
    for (const { features, partial } of scores) if (!partial) expect(features).toEqual([6, 4, 1000]);
  });

  it('continues after a first record whose timestamp is in nanoseconds', async () => {
    const topic = place();
    append(topic.broker, seconds(30));
    const [input] = topic.broker.input;
    if (input !== undefined) input.begin = 10;
    const first = input?.entries[10];
    if (typeof first === 'object') input?.entries.splice(10, 1, { ...first, timestamp: 1e6 * EPOCH });
    for (let again = 0; again < 2; again += 1) expect(await topic.run({ settings, outputs: MARKED })).toBeUndefined();
    const scores = scoresOf(topic);
    expect(scores).toHaveLength(asOf === 'event' ? 17 : 20);
    expect(scores.every(({ partial }) => partial)).toBe(true);
  });

  it('resumes where the log dropped only what was scored, and marks what may miss it', async () => {
    const topic = place();
    append(topic.broker, seconds(30));
    expect(await topic.run({ settings, outputs: MARKED })).toBeUndefined();
    const [input] = topic.broker.input;
    if (input !== undefined) input.begin = asOf === 'event' ? 27 : 30;
    append(topic.broker, seconds(30));
    expect(await topic.run({ settings, outputs: MARKED })).toBeUndefined();
    const scores = scoresOf(topic);
    expect(scores.map(({ offset }) => offset)).toEqual(Array.from({ length: asOf === 'event' ? 57 : 60 }, (_, i) => i));
    const marked = scores.filter(({ partial }) => partial).map(({ offset }) => offset);
    expect(marked).toEqual(Array.from({ length: asOf === 'event' ? 17 : 14 }, (_, i) => (asOf === 'event' ? 27 : 30) + i));
    for (const { offset, features, partial } of scores) if (!partial && offset >= 5) expect(features).toEqual([6, 4, 1000]);
  });
});

it('stops with 78 where events were dropped that wait for their time', async () => {
  const topic = place();
  append(topic.broker, seconds(30));
  expect(await topic.run({ settings: EVENT })).toBeUndefined();
  const [input] = topic.broker.input;
  if (input !== undefined) input.begin = 28;
  const error = (await topic.run({ settings: EVENT })) as ScoreBatchError;
  expect(EXIT_CODES[error.kind]).toBe(78);
  expect(error.message).toMatch(/starts at offset 28, but events from offset 27 on have not been scored yet/);
});

it('scores in steps what becomes due at once, also after a stop between two of them', async () => {
  const topic = place();
  const times = (count: number) => Array.from({ length: count }, (_, i) => i);
  const features = { ...FEATURES, asOf: 'event' as const, latenessMs: 3_600_000 };
  const settings = { ...EVENT, features };
  const input = topic.broker.input[0];
  for (const offset of [...times(3000), 3000]) {
    const time = EPOCH + offset + (offset === 3000 ? 7_200_000 : 0);
    const value = JSON.stringify({ id: `${offset}`, key: `k${offset % 50}`, time, amount: 1 });
    input?.entries.push({ offset, timestamp: time, key: Buffer.from(`k${offset % 50}`), value: Buffer.from(value) });
  }
  if (input !== undefined) input.stable = input.entries.length;
  const sizes: number[] = [];
  const observer = {
    ...SILENT,
    committed: (_: number, { events }: { events: readonly unknown[] }) => sizes.push(events.length),
  };
  let commits = 0;
  const failing: FlowOptions['outputs'] = {
    ...OUTPUTS,
    scored(one) {
      commits += 1;
      if (commits === 1050) throw new Error('stopped');
      return OUTPUTS.scored(one);
    },
  };
  const error = await topic.run({ settings, observer, outputs: failing }, () => topic.sleep(600_000));
  expect(error?.message).toBe('stopped');
  expect(topic.written().length).toBe(1000);
  expect(await topic.run({ settings, observer }, () => topic.sleep(600_000))).toBeUndefined();
  expect(topic.written()).toEqual(times(3000).map((offset) => `0:${offset}`));
  expect(Math.max(...sizes)).toBe(settings.limits.batchEvents);
  // Idle, too: all that waits, in steps.
  append(topic.broker, []);
  const idle = { ...settings, idleMs: 5000, limits: { ...settings.limits, batchEvents: 7 } };
  const more = times(40).map((i) => ({ key: `k${i % 3}`, id: `more ${i}` }));
  const begin = input?.entries.length ?? 0;
  for (const [i, { key, id }] of more.entries()) {
    const time = EPOCH + 7_200_000 - (i % 5) * 1000;
    const record = { offset: begin + i, timestamp: time + 10_000, key: Buffer.from(key) };
    input?.entries.push({ ...record, value: Buffer.from(JSON.stringify({ id, key, time, amount: 1 })) });
  }
  if (input !== undefined) input.stable = input.entries.length;
  expect(await topic.run({ settings: idle, observer }, () => topic.sleep(60_000))).toBeUndefined();
  expect(topic.written()).toHaveLength(3041);
  expect(new Set(topic.written()).size).toBe(3041);
});

it('stops with 78 when the brokers refuse a dead letter for its size', async () => {
  const topic = place();
  append(topic.broker, seconds(3));
  topic.broker.produce = (_id, _epoch, records) => {
    const letter = records.find(({ topic: name }) => name === 'dead letters');
    if (letter !== undefined) throw new TooLargeError(letter);
  };
  const error = (await topic.run({ decode: () => ({ reason: 'not an event' }) })) as ScoreBatchError;
  expect(EXIT_CODES[error.kind]).toBe(78);
  expect([error.message, error.hint].join()).toMatch(/topic dead letters accepts.*max.message.bytes/);
});

it('stops with 78 when an added partition is all that a process has', async () => {
  const topic = place();
  append(topic.broker, seconds(3));
  expect(await topic.run()).toBeUndefined();
  const added = place(2);
  const committed = topic.broker.committed.get(0);
  if (committed !== undefined) added.broker.committed.set(0, committed);
  append(added.broker, seconds(3));
  const error = (await added.run()) as ScoreBatchError;
  expect(error.message).toMatch(/2 partitions instead of 1/);
});

it('commits the position past an aborted transaction, so that the log may drop it while the partition is quiet', async () => {
  for (const [stays, told] of [
    [1000, []],
    [120_000, [33]],
  ] as const) {
    const topic = place();
    const [input] = topic.broker.input;
    append(topic.broker, seconds(30));
    const positions: number[] = [];
    const observer = { ...SILENT, committed: (_: number, { position }: { position: number }) => positions.push(position) };
    const error = await topic.run({ observer }, async () => {
      await topic.sleep(10_000);
      positions.length = 0;
      input?.entries.push('passed over', 'passed over', 'passed over');
      if (input !== undefined) input.stable = input.entries.length;
      await topic.sleep(stays);
      expect(positions).toEqual(told);
    });
    expect(error).toBeUndefined();
    expect(positions).toEqual([33]);
    if (input !== undefined) input.begin = 33;
    append(topic.broker, seconds(10));
    expect(await topic.run()).toBeUndefined();
    expect(topic.written()).toHaveLength(40);
  }
});
