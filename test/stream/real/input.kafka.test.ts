import { expect, inject, it } from 'vitest';
import { javaProduce } from '../../kafka/java-client.ts';
import { startStream } from './stream-process.ts';
import { event, type Sent, streamTopics } from './stream-topics.ts';
import { written } from './written.ts';

const brokers = inject('kafka') ?? [];
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const OUTPUT_BYTES = 4096;

/** The event `i` with other fields; undefined ones are left out. */
function changed(i: number, now: number, fields: Readonly<Record<string, unknown>>): Sent {
  const sent = event(i, now);
  return { ...sent, value: JSON.stringify({ ...JSON.parse(String(sent.value)), ...fields }) };
}

function poisonous(now: number): readonly (readonly [record: Sent, reason: string, detail?: string])[] {
  const of = (value: Sent['value']): Sent => ({ key: 'u0', value, timestamp: now });
  return [
    [of(null), 'not an event', 'no value'],
    [of(''), 'not an event', 'not JSON'],
    [of('C0FFEE, not JSON'), 'not an event', 'not JSON'],
    [of(Buffer.from([0xff, 0xfe, 0x00])), 'not an event', 'not UTF-8'],
    [of('[1, 2]'), 'not an event', 'not a JSON object'],
    [of('null'), 'not an event', 'not a JSON object'],
    [of('['.repeat(5000)), 'not an event', 'not JSON'],
    [of('x'.repeat(20_000)), 'too large'],
    [changed(0, now, { user_id: undefined }), 'no key'],
    [changed(0, now, { transaction_id: null }), 'no id'],
    [changed(0, now, { at: undefined }), 'no time'],
    [changed(0, now, { at: Math.round(now / 1000) }), 'time out of range'],
    [changed(0, now, { at: now * 1000 }), 'time out of range'],
    [changed(0, now, { at: 0 }), 'time out of range'],
    [changed(0, now, { at: Date.UTC(2100, 0, 1) }), 'time out of range'],
    [changed(0, now, { at: Date.UTC(2099, 11, 31) }), 'ahead of its timestamp'],
    [changed(0, now, { at: now + 86_400_000 }), 'ahead of its timestamp'],
    [changed(0, now, { at: Date.UTC(1990, 0, 1) }), 'late'],
    [changed(0, now, { at: `${now}` }), 'wrong type', 'at'],
    [changed(0, now, { amount: 1e30 }), 'wrong type', 'amount'],
    [changed(0, now, { amount: 0.5 }), 'wrong type', 'amount'],
    [changed(0, now, { merchant: '\ud800' }), 'wrong type', 'merchant'],
    [{ ...event(0, now), key: 'another' }, 'key differs from the message key'],
    [{ ...event(0, now), key: null }, 'key differs from the message key'],
    [changed(0, now, { amount: Number.MAX_SAFE_INTEGER + 1 }), 'wrong type', 'amount'],
  ];
}

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'puts aside records that are not events, with its reason and without its values, and scores the others of the same batches',
  async () => {
    const topics = await streamTopics(brokers, {
      partitions: 1,
      job: 'limits: { message: 10KiB }\n',
      outputConfig: { 'max.message.bytes': `${OUTPUT_BYTES}` },
    });
    const { folder, send, input, untilRead } = topics;
    const now = Date.now();
    const bad = poisonous(now);
    const good = (i: number) => event(100 + i, now, now, 'u0');
    // A good one after each bad one; the same time for all, so each sees those before it.
    await send(bad.flatMap(([record], i) => [record, good(i)]));
    // A later schema has properties more, and one of them a name of JavaScript's own.
    await send([changed(900, now, { channel: 'web', device: { os: [1, 2] }, __proto__: undefined, constructor: 1 })]);
    // Its score does not fit into the topic, which names the key.
    await send([event(901, now, now, 'u'.repeat(OUTPUT_BYTES))]);
    await send([good(0), good(1)]);
    const running = startStream(folder, { environment: { SCORE_BATCH_HASH_KEY: 'key of the tests' } });
    await untilRead(() => running.log);
    for (const [i, codec] of CODECS.entries()) {
      const records = Array.from({ length: 20 }, (_, j) => event(1000 + i * 20 + j, now, now, `codec ${codec}`));
      await javaProduce(
        brokers,
        input,
        records.map(({ key, value }) => ({ key: String(key), value: String(value) })),
        codec,
      );
    }
    await untilRead(() => running.log);
    expect(await running.metric('duplicates_total')).toBe(2);
    const { code, stderr } = await running.end();
    expect(code, stderr).toBe(0);

    const { scores, dead } = await written(topics, { scores: bad.length + 1 + 20 * CODECS.length, dead: bad.length + 1 });
    const tooLarge = dead.find(({ offset }) => offset === 2 * bad.length + 1);
    expect(tooLarge).toMatchObject({ reason: 'too large', detail: expect.stringMatching(/^its score has \d+ bytes$/) });
    expect(dead.filter((one) => one !== tooLarge).map(({ offset, reason, detail }) => [offset, reason, detail])).toEqual(
      bad.map(([, reason, detail], i) => [2 * i, reason, detail]),
    );
    const text = JSON.stringify(dead);
    for (const value of ['C0FFEE', 'another', 'uuuu', '"u0"', 't0']) expect(text).not.toContain(value);
    const ofUser = scores.filter(({ id }) => Number(id.slice(1)) < 900);
    expect(ofUser.map(({ features }) => features.a)).toEqual(bad.map((_, i) => i + 1));
    expect(scores.find(({ id }) => id === 't900')).toBeDefined();
    // Exactly equal times: each of a user's twenty sees those that came before, in the order of arrival, whatever the codec.
    const codecs = scores.filter(({ id }) => Number(id.slice(1)) >= 1000);
    expect(codecs.map(({ features }) => features.a)).toEqual(CODECS.flatMap(() => Array.from({ length: 20 }, (_, j) => j + 1)));
  },
  120_000,
);
