import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { EXIT_CODES, type ScoreBatchError } from '../../../src/errors.ts';
import type { EventFeatures } from '../../../src/event-features/definition.ts';
import type { FlowOptions } from '../../../src/stream/partition/ports.ts';
import { decode, FEATURES } from '../simulation/oracle.ts';
import { append, type Place, place, SETTINGS } from './one-process.ts';

// As of event, where events wait.

const EVENT: FlowOptions['settings'] = { ...SETTINGS, features: { ...FEATURES, asOf: 'event' } };
/** Of which nothing waits at the end. */
const DRAINED = { ...EVENT, idleMs: 5000 };
const SMALLER = { ...EVENT, limits: { ...EVENT.limits, messageBytes: 10 } };
const TEN = Array.from({ length: 10 }, () => ({ key: 'k' }));

function withFeatures(features: Partial<EventFeatures>): FlowOptions['settings'] {
  return { ...EVENT, features: { ...EVENT.features, ...features, digest: 'e'.repeat(64) } };
}

function windowsOf(windowMs: number): FlowOptions['settings'] {
  return withFeatures({ features: FEATURES.features.map((one) => ({ ...one, windowMs })) });
}

/** Offsets 28 and 30 are no events. */
const fewer: FlowOptions['decode'] = (record) =>
  record.offset === 28 || record.offset === 30 ? { reason: 'too large' } : decode(record);

async function afterThirty(change: Partial<FlowOptions>): Promise<Place> {
  const topic = place();
  append(topic.broker, [...TEN, ...TEN, ...TEN]);
  expect(await topic.run({ settings: EVENT, ...change })).toBeUndefined();
  return topic;
}

function offsetsOf(topic: Place): number[] {
  return topic.written().map((text) => Number(/:(\d+)/.exec(text)?.[1]));
}

it.each([
  ['limits.message', SMALLER, {}, /limits.message or the definition of an event has changed/],
  ['a field', withFeatures({ fields: FEATURES.fields.slice(0, 3) }), {}, /the feature file has changed/],
  ['a longer window', windowsOf(60_000), {}, /the feature file has changed/],
  ['a shorter window', windowsOf(1000), {}, /the feature file has changed/],
])(
  'refuses another %s while events wait: what was rejected or a duplicate is not known',
  async (_what, settings, change, says) => {
    const topic = await afterThirty({});
    const written = topic.written();
    for (const acceptFeatures of [false, true]) {
      const error = (await topic.run({ settings, acceptFeatures, ...change })) as ScoreBatchError;
      expect(EXIT_CODES[error.kind]).toBe(78);
      expect(error.message).toMatch(says);
      expect(error.message).toMatch(/events are waiting to be scored$/);
      expect(error.hint).toContain('score_batch_stream_pending_events');
    }
    expect(topic.written()).toEqual(written);
    // As it was, nothing is lost.
    append(topic.broker, TEN);
    expect(await topic.run({ settings: DRAINED })).toBeUndefined();
    expect(offsetsOf(topic)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  },
);

it('takes other features with the same longest window while events wait', async () => {
  const topic = await afterThirty({});
  append(topic.broker, TEN);
  const settings = { ...withFeatures({ features: FEATURES.features.slice(0, 1) }), idleMs: 5000 };
  expect(await topic.run({ settings, acceptFeatures: true })).toBeUndefined();
  expect(offsetsOf(topic)).toEqual(Array.from({ length: 40 }, (_, i) => i));
});

it('scores nothing that has its dead letter, once nothing waits and records may be larger', async () => {
  const smaller = { settings: { ...SMALLER, idleMs: 5000 }, decode: fewer };
  const topic = await afterThirty(smaller);
  // After all others were scored.
  append(topic.broker, TEN.slice(0, 1));
  expect(await topic.run(smaller)).toBeUndefined();
  expect(topic.written()).toEqual(expect.arrayContaining(['0:28 too large', '0:30 too large']));
  expect(topic.written()).toHaveLength(31);
  expect(await topic.run({ settings: DRAINED })).toMatchObject({
    message: expect.stringMatching(/limits.message.*has changed$/),
  });
  for (let again = 0; again < 2; again += 1) {
    append(topic.broker, TEN);
    expect(await topic.run({ settings: DRAINED, acceptFeatures: true })).toBeUndefined();
  }
  expect(offsetsOf(topic).sort((a, b) => a - b)).toEqual(Array.from({ length: 51 }, (_, i) => i));
});

it('scores no duplicate, once nothing waits and windows are shorter', async () => {
  const topic = place();
  append(topic.broker, [{ key: 'k', id: 'twice' }, ...TEN.slice(0, 5)]);
  expect(await topic.run({ settings: DRAINED })).toBeUndefined();
  append(topic.broker, [{ key: 'k', id: 'twice' }]);
  expect(await topic.run({ settings: DRAINED })).toBeUndefined();
  expect(offsetsOf(topic)).toEqual([0, 1, 2, 3, 4, 5]);
  append(topic.broker, TEN);
  const settings = { ...windowsOf(1000), idleMs: 5000 };
  expect(await topic.run({ settings, acceptFeatures: true })).toBeUndefined();
  expect(offsetsOf(topic)).toEqual([0, 1, 2, 3, 4, 5, ...TEN.map((_, i) => 7 + i)]);
});

it('continues where an earlier version committed, which knew no horizon', async () => {
  const topic = await afterThirty({});
  const { offset, metadata } = topic.broker.committed.get(0) ?? { offset: 0, metadata: '' };
  const text = JSON.stringify([1, 1e6, FEATURES.fields.map(({ name, type }) => [name, type])]);
  const decoding = createHash('sha256').update(text).digest('hex').slice(0, 16);
  topic.broker.committed.set(0, { offset, metadata: JSON.stringify({ ...JSON.parse(metadata), decoding }) });
  expect(await topic.run({ settings: windowsOf(60_000), acceptFeatures: true })).toMatchObject({
    message: expect.stringMatching(/events are waiting to be scored$/),
  });
  append(topic.broker, TEN);
  expect(await topic.run({ settings: DRAINED })).toBeUndefined();
  expect(offsetsOf(topic)).toEqual(Array.from({ length: 40 }, (_, i) => i));
});
