import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readEventFeatures } from '../../../src/event-features/read.ts';
import { createDecoder } from '../../../src/stream/score/decode.ts';

const FEATURES = readEventFeatures(
  `name: t
as_of: arrival
key: user
id: id
time: at
fields: { id: string, user: string, at: int64, constructor: string, amount: int64, ratio: float64, ok: bool }
lateness: 5s
features: { n: { count: events, window: 5m } }
`,
  'features.yaml',
);
const AT = Date.UTC(2026, 10, 27);
const decode = createDecoder(FEATURES, 1000);

function read(value: string | Buffer | null, key: string | Buffer | null = 'u') {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return decode({ offset: 7, timestamp: AT, key: typeof key === 'string' ? Buffer.from(key) : key, value: bytes });
}

const event = (more = '') => `{"id":"a","user":"u","at":${AT}${more}}`;

it('reads an event: what is missing is null, and unknown properties are passed over', () => {
  expect(read(event(',"amount":5,"ok":true,"new":{"x":[1]}'))).toEqual({
    ...{ offset: 7, timestamp: AT, key: 'u', id: 'a', time: AT },
    values: ['a', 'u', AT, null, 5, null, true],
  });
});

it('takes the last of a property that is there twice, and 0 for -0 of a whole number', () => {
  expect(read(event(',"amount":1,"amount":-0'))).toMatchObject({ values: ['a', 'u', AT, null, 0, null, null] });
});

it.each([
  ['no value', null, 'not an event', 'no value'],
  ['text', 'C0FFEE', 'not an event', 'not JSON'],
  ['a list', '[1]', 'not an event', 'not a JSON object'],
  ['null', 'null', 'not an event', 'not a JSON object'],
  ['a byte order mark', `\uFEFF${event()}`, 'not an event', 'not JSON'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'not an event', 'not UTF-8'],
  ['no id', '{"user":"u","at":1}', 'no id', undefined],
  ['no key', `{"id":"a","at":${AT}}`, 'no key', undefined],
  ['a null for a time', '{"id":"a","user":"u","at":null}', 'no time', undefined],
  ['seconds', `{"id":"a","user":"u","at":${AT / 1000}}`, 'time out of range', undefined],
  ['microseconds', `{"id":"a","user":"u","at":${AT * 1000}}`, 'time out of range', undefined],
  ['half a millisecond', `{"id":"a","user":"u","at":${AT}.5}`, 'wrong type', 'at'],
  ['a number as a text', event(',"amount":"5"'), 'wrong type', 'amount'],
  ['a number beyond 2^53', event(',"amount":9007199254740993'), 'wrong type', 'amount'],
  ['a number beyond doubles', event(',"ratio":1e999'), 'wrong type', 'ratio'],
  ['half of a surrogate', event(',"constructor":"\\ud800"'), 'wrong type', 'constructor'],
  ['a large record', event(`,"constructor":"${'x'.repeat(1000)}"`), 'too large', undefined],
])('rejects %s', (_, value, reason, detail) => {
  expect(read(value)).toEqual(detail === undefined ? { reason } : { reason, detail });
});

it.each([null, 'v', 'u ', Buffer.from([0x75, 0xff])])('rejects an event whose message key is %j', (key) => {
  expect(read(event(), key)).toEqual({ reason: 'key differs from the message key' });
});

it('never throws, and never tells a value', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify({ id: value, user: 'u', at: value })),
      ),
      (text) => {
        const found = read(text);
        if ('reason' in found) expect(Object.keys(found).every((name) => ['reason', 'detail'].includes(name))).toBe(true);
      },
    ),
  );
});
