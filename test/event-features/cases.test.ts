import { describe, expect, it } from 'vitest';
import type { FieldValue } from '../../src/event-features/definition.ts';
import { readEventFeatures } from '../../src/event-features/read.ts';
import type { StreamEvent } from '../../src/stream/event.ts';
import { eventTable } from './duckdb.ts';
import { rowText, T } from './logs.ts';
import { expectedOf } from './oracle.ts';

// Each case is small enough to be computed by hand; DuckDB and the oracle of the other tests must both say it.

const table = eventTable();

/** An event of one key, in the order of arrival: milliseconds after T, and what differs from the events around it. */
interface Given {
  readonly at: number;
  readonly id?: string;
  /** How far its time is ahead of the timestamp of Kafka. */
  readonly ahead?: number;
  readonly amount?: number | null;
  readonly place?: string | null;
}

interface Case {
  /** Aggregates by name, as in a feature file; their window is 10 ms unless they say another. */
  readonly features: Readonly<Record<string, string>>;
  readonly events: readonly Given[];
  /** For each accepted event in the order of arrival its index and its features. */
  readonly expected: readonly (readonly FieldValue[])[];
  readonly asOf?: 'event' | 'arrival';
  readonly lateness?: number;
  readonly skew?: number;
}

const featuresOf = ({ features, asOf = 'event', lateness = 5, skew = lateness }: Case) =>
  readEventFeatures(
    `
name: case
as_of: ${asOf}
key: who
id: id
time: at
fields: { id: string, who: string, at: int64, amount: int64, place: string }
lateness: ${lateness}ms
skew: ${skew}ms
log: { partition: p, offset: o, timestamp: ts }
features:
${Object.entries(features)
  .map(([name, text]) => `  ${name}: { ${text.includes('window') ? text : `${text}, window: 10ms`} }`)
  .join('\n')}
`,
    'case.yaml',
  );

const eventsOf = ({ events }: Case): StreamEvent[] =>
  events.map(({ at, id, ahead = 0, amount = 1, place = null }, index) => {
    const [name, time] = [id ?? `e${index}`, T + at];
    const values = [name, 'k', time, amount, place];
    return { offset: index, timestamp: time - ahead, key: 'k', id: name, time, values };
  });

async function check(one: Case): Promise<void> {
  const [features, events] = [featuresOf(one), eventsOf(one)];
  const computed = expectedOf(features, events).flatMap(({ verdict, event, features: values = [] }) =>
    verdict === 'accepted' ? [[event.offset, ...values]] : [],
  );
  expect(computed).toEqual(one.expected);
  const rows = events.map((event) => [...event.values, 0, event.offset, event.timestamp]);
  const wanted = one.expected.map(([index, ...values]) => rowText([...(events[Number(index)]?.values ?? []), ...values]));
  expect(await table.read(features, rows, [T - 1000, T + 1_000_000])).toEqual(wanted.sort());
}

it.each<[string, Case]>([
  [
    'an event sees itself, ties in both directions, and the left bound',
    {
      features: { n: 'count: events' },
      events: [{ at: 0 }, { at: 10 }, { at: 10 }, { at: 11 }],
      expected: [
        [0, 1],
        [1, 3],
        [2, 3],
        [3, 3],
      ],
    },
  ],
  [
    'as of arrival, it sees of ties and of what is older only what came before it',
    {
      asOf: 'arrival',
      features: { n: 'count: events' },
      events: [{ at: 10 }, { at: 10 }, { at: 6 }, { at: 11 }],
      expected: [
        [0, 1],
        [1, 2],
        [2, 1],
        [3, 4],
      ],
    },
  ],
  ...(['event', 'arrival'] as const).map((asOf): [string, Case] => [
    `as of ${asOf}, the example of the documentation`,
    {
      asOf,
      features: { n: 'count: events' },
      events: [{ at: 10 }, { at: 10 }, { at: 6 }, { at: 20 }],
      expected: [
        [0, asOf === 'event' ? 3 : 1],
        [1, asOf === 'event' ? 3 : 2],
        [2, 1],
        [3, 3],
      ],
    },
  ]),
  [
    'nulls are no values: counts and distinct are 0, everything else is null',
    {
      features: {
        n: 'count: place',
        d: 'distinct: place',
        s: 'sum: amount',
        m: 'mean: amount',
        low: 'min: amount',
        high: 'max: place',
        l: 'last: place',
        since: 'since: events',
      },
      events: [{ at: 0, amount: null }],
      expected: [[0, 0, 0, null, null, null, null, null, null]],
    },
  ],
  [
    'a condition chooses among all events, the event itself included; null fulfils none',
    {
      features: {
        eq: 'count: events, where: { place: a }',
        of: 'sum: amount, where: { place: [a, b] }',
        range: 'count: events, where: { amount: { at_least: 2, below: 4 } }',
        both: 'last: amount, where: { place: a, amount: { below: 3 } }',
      },
      events: [
        { at: 0, amount: 2, place: 'a' },
        { at: 1, amount: 4, place: 'b' },
        { at: 2, amount: 3, place: null },
        { at: 3, amount: null, place: 'a' },
      ],
      expected: [
        [0, 1, 2, 1, 2],
        [1, 1, 6, 1, 2],
        [2, 1, 6, 2, 2],
        [3, 2, 6, 2, 2],
      ],
    },
  ],
  [
    'the last of a tie is the one with the greatest id by UTF-8 bytes, whatever its order of arrival',
    {
      features: { l: 'last: place' },
      // U+FFFD is below U+1F600 in UTF-8, and above it in UTF-16.
      events: [
        { at: 1, id: '\u{1F600}', place: 'grin' },
        { at: 1, id: '\uFFFD', place: 'box' },
        { at: 1, id: 'z', place: 'z' },
        { at: 2, id: 'a', place: null },
      ],
      expected: [
        [0, 'grin'],
        [1, 'grin'],
        [2, 'grin'],
        [3, 'grin'],
      ],
    },
  ],
  [
    'since is 0 for a tie, and leaves out the event itself and what is outside the window',
    {
      features: { any: 'since: events', a: 'since: events, where: { place: a }' },
      events: [{ at: 0, place: 'a' }, { at: 4 }, { at: 4, place: 'a' }, { at: 15 }],
      expected: [
        [0, null, null],
        [1, 0, 0],
        [2, 0, 4],
        [3, null, null],
      ],
    },
  ],
  [
    'texts are compared by UTF-8 bytes, numbers by size',
    {
      features: { low: 'min: place', high: 'max: place', least: 'min: amount' },
      events: [
        { at: 0, place: '\uFFFD', amount: 10 },
        { at: 1, place: '\u{1F600}', amount: 9 },
        { at: 2, place: 'Z', amount: -1 },
        { at: 3, place: 'a', amount: 0 },
      ],
      expected: [
        [0, '\uFFFD', '\uFFFD', 10],
        [1, '\uFFFD', '\u{1F600}', 9],
        [2, 'Z', '\u{1F600}', -1],
        [3, 'Z', '\u{1F600}', -1],
      ],
    },
  ],
  [
    'a mean is the exact sum divided once',
    {
      features: { m: 'mean: amount', s: 'sum: amount' },
      events: [
        { at: 0, amount: 9 },
        { at: 1, amount: 10 },
        { at: 2, amount: 9007199254740991 },
      ],
      expected: [
        [0, 9, 9],
        [1, 9.5, 19],
        [2, 3002399751580336.5, 9007199254741010n as never],
      ],
    },
  ],
  [
    'an event is late if it is older than the newest before it by more than the lateness',
    {
      lateness: 5,
      features: { n: 'count: events' },
      events: [{ at: 10 }, { at: 5 }, { at: 4 }, { at: 10 }],
      expected: [
        [0, 2 + 1],
        [1, 1],
        [3, 3],
      ],
    },
  ],
  [
    'an event ahead of its timestamp by more than the skew moves nothing: what comes after it is not late, nor a copy of it',
    {
      lateness: 5,
      skew: 2,
      features: { n: 'count: events' },
      events: [{ at: 2, ahead: 2 }, { at: 900, ahead: 3, id: 'x' }, { at: 3 }, { at: 4, id: 'x' }],
      expected: [
        [0, 1],
        [2, 2],
        [3, 3],
      ],
    },
  ],
  [
    'a copy within window + lateness is dropped, one beyond it is another event',
    {
      lateness: 5,
      features: { n: 'count: events' },
      events: [
        { at: 0, id: 'x' },
        { at: 15, id: 'x' },
        { at: 100, id: 'y' },
        { at: 116, id: 'y' },
      ],
      expected: [
        [0, 1],
        [2, 1],
        [3, 1],
      ],
    },
  ],
  [
    'a copy that was dropped is remembered, too; and so is one that was late',
    {
      lateness: 5,
      features: { n: 'count: events' },
      events: [
        { at: 0, id: 'x' },
        { at: 14, id: 'x' },
        { at: 28, id: 'x' },
        { at: 100 },
        { at: 90, id: 'y' },
        { at: 99, id: 'y' },
      ],
      expected: [
        [0, 1],
        [3, 1],
      ],
    },
  ],
  [
    'windows of one file differ in length',
    {
      features: { long: 'count: events, window: 20ms', short: 'count: events, window: 3ms' },
      events: [{ at: 0 }, { at: 17 }, { at: 20 }],
      expected: [
        [0, 1, 1],
        [1, 2, 1],
        [2, 3, 2],
      ],
    },
  ],
])('%s', async (_, one) => {
  await check(one);
});

describe('a sum beyond int64', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const events = Array.from({ length: 1025 }, (_, index) => ({ at: index % 10, amount: index < 1024 ? most : 0 }));

  it.each(['sum: amount', 'mean: amount'])('of %s is refused as of event and as of arrival', async (feature) => {
    for (const asOf of ['event', 'arrival'] as const) {
      const one: Case = { asOf, lateness: 10, features: { x: feature }, events, expected: [] };
      const features = featuresOf(one);
      const rows = (more: number) =>
        eventsOf({ ...one, events: [...events.slice(0, -1), { at: 9, amount: more }] }).map((event) => [
          ...event.values,
          0,
          event.offset,
          event.timestamp,
        ]);
      // 1024 × (2^53 − 1) + 1023 is 2^63 − 1.
      expect(await table.read(features, rows(1023), [T, T + 100])).toHaveLength(1025);
      await expect(table.read(features, rows(1024), [T, T + 100])).rejects.toThrow(/out of range|overflow/i);
    }
  });
});

it.each(['with the columns of the log', 'without them'])(
  '%s, leaves out rows that the stream rejects for their form',
  async (columns) => {
    const logged = columns === 'with the columns of the log';
    const features = readEventFeatures(
      `
name: form
as_of: event
key: who
id: id
time: at
fields: { who: string, id: string, at: int64, amount: int64, rate: float64 }
lateness: 5ms
${logged ? 'log: { partition: p, offset: o, timestamp: ts }' : ''}
features:
  n: { count: events, window: 10ms }
`,
      'form.yaml',
    );
    const good = ['k', 'good', T, 9_007_199_254_740_991, 0.5];
    const whole = ['k', 'null', T, null, null];
    const wrong: FieldValue[][] = [
      ['k', 'wide', T, 2 ** 53, 0.5],
      ['k', 'wide', T, -(2 ** 53), 0.5],
      ['k', 'infinite', T, 1, 'inf'],
      ['k', 'infinite', T, 1, '-inf'],
      ['k', 'nan', T, 1, 'nan'],
      [null, 'no key', T, 1, 0.5],
      ['k', null, T, 1, 0.5],
      ['k', 'no time', null, 1, 0.5],
      ['k', 'seconds', 1_700_000_000, 1, 0.5],
      ['k', 'microseconds', 4_102_444_800_000, 1, 0.5],
    ];
    const rows = [good, ...wrong, whole].map((row, offset) => (logged ? [...row, 0, offset, 4_102_444_800_000] : row));
    const found = await table.read(features, rows, [0, 5_000_000_000_000]);
    expect(found).toEqual([rowText([...good, 2]), rowText([...whole, 2])].sort());
  },
);

it('computes with names that are words of a dialect', async () => {
  const features = readEventFeatures(
    `
name: words
as_of: event
key: anti
id: struct
time: asof
fields: { anti: string, struct: string, asof: int64, glob: int64, alter: string }
lateness: 5ms
log: { partition: positional, offset: pivot_longer, timestamp: authorization }
features:
  semi: { count: events, window: 10ms }
  collation: { sum: glob, window: 10ms, where: { alter: [a, b] } }
  binary: { last: alter, window: 10ms }
`,
    'words.yaml',
  );
  const rows = [
    ['k', 'e1', T, 5, 'a', 0, 0, T],
    ['k', 'e2', T + 3, 7, 'c', 0, 1, T + 3],
  ];
  expect(await table.read(features, rows, [T, T + 100])).toEqual([
    rowText(['k', 'e1', T, 5, 'a', 1, 5, 'a']),
    rowText(['k', 'e2', T + 3, 7, 'c', 2, 5, 'c']),
  ]);
});
