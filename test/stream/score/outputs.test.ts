import { expect, it } from 'vitest';
import { readEventFeatures } from '../../../src/event-features/read.ts';
import { createRecordWriter } from '../../../src/stream/score/outputs.ts';
import { FEATURES } from '../stream-project.ts';

const features = readEventFeatures(FEATURES, 'features.yaml');
const output = { scores: 's', deadLetter: 'd', alerts: 'a' };
const decisions = [
  { name: 'approve', from: 0 },
  { name: 'decline', from: 900_000 },
];
const scorer = { name: 'm', version: '1', digest: 'f'.repeat(64), definitionDigest: 'e'.repeat(64) };
const writer = createRecordWriter({ features, output, decisions, alertOn: ['decline'] });
const AT = Date.UTC(2026, 10, 27);
const EVENT = { offset: 3, timestamp: AT, key: 'u\u0085\u202e"', id: 'id\n', time: AT, values: [] };

function scored(millionths: number, values: readonly (bigint | number | string | null)[], flags = {}) {
  const due = { event: EVENT, features: values, capped: false, idle: false, ...flags };
  return writer.scored({ partition: 2, due, attributes: undefined, millionths, scorer, scoredAt: AT });
}

it('writes scores as JSON that a terminal can show, with sums beyond 2^53 exact', () => {
  const [record, ...more] = scored(1, [2n ** 60n, null, -0.5], { capped: true });
  expect(more).toEqual([]);
  const text = String(record?.value);
  expect(text).toContain('"a":1152921504606846976,');
  expect(text).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(text)).toEqual({
    ...{ id: EVENT.id, key: EVENT.key, time: AT, score: 0.000001, decision: 'approve' },
    model: { name: 'm', version: '1', digest: scorer.digest, definition_digest: scorer.definitionDigest },
    ...{ features_digest: features.digest, as_of: 'arrival', attributes_version: null, partition: 2, offset: 3, capped: true },
    features: { a: 2 ** 60, amount_5m: null, since_last: -0.5 },
    scored_at: '2026-11-27T00:00:00.000Z',
  });
  expect(record).toMatchObject({ topic: 's', key: EVENT.key });
});

it('decides by the rounded score, and repeats what somebody must see in the topic of alerts', () => {
  expect(scored(899_999, []).map(({ topic }) => topic)).toEqual(['s']);
  const [score, alert] = scored(900_000, []);
  expect(alert).toEqual({ ...score, topic: 'a' });
});

it.each([undefined, 'a key of mine'])('hashes key and value of a dead letter (key %j)', (hashKey) => {
  const own = createRecordWriter({ features, output, decisions, alertOn: [] }, hashKey);
  const record = { offset: 9, timestamp: AT, key: Buffer.from('user-secret'), value: Buffer.from('value-secret') };
  const { topic, key, value } = own.rejected({
    ...{ partition: 1, record, reason: 'wrong type', detail: 'amount', scorer, rejectedAt: AT },
  });
  const letter = JSON.parse(String(value));
  const name = hashKey === undefined ? 'sha256' : 'hmac_sha256';
  expect(letter).toMatchObject({ reason: 'wrong type', detail: 'amount', partition: 1, offset: 9, bytes: 12 });
  expect(letter[`value_${name}`]).toMatch(/^[0-9a-f]{64}$/);
  expect([topic, key]).toEqual(['d', letter[`key_${name}`]]);
  expect(letter).not.toHaveProperty('time');
  expect(`${key}${value}`).not.toContain('secret');
  const late = own.rejected({ partition: 1, record, reason: 'late', time: AT - 9, scorer, rejectedAt: AT });
  expect(JSON.parse(String(late.value))).toMatchObject({ reason: 'late', timestamp: AT, time: AT - 9 });
});
