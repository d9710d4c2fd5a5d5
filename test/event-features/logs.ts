import fc from 'fast-check';
import type { EventFeatures, FieldValue } from '../../src/event-features/definition.ts';
import { readEventFeatures } from '../../src/event-features/read.ts';
import type { StreamEvent } from '../../src/stream/event.ts';
import { type Expected, expectedOf } from './oracle.ts';

/** Epoch milliseconds near which the events of tests happen: 2023-11-14T22:13:20Z. */
export const T = 1_700_000_000_000;

export interface Spans {
  readonly asOf: 'event' | 'arrival';
  readonly lateness: number;
  readonly skew: number;
  /** The longest window, in milliseconds; at least 2. */
  readonly window: number;
  /** Whether the table says where Kafka kept an event; true by default. */
  readonly logged?: boolean;
}

/** A feature file with every aggregate over every type that it takes. */
export function everyFeature({ asOf, lateness, skew, window, logged = true }: Spans): EventFeatures {
  const short = Math.ceil(window / 2);
  return readEventFeatures(
    `
name: every
as_of: ${asOf}
key: user_id
id: event_id
time: at
fields: { event_id: string, user_id: string, at: int64, amount: int64, rate: float64, place: string, ok: bool }
lateness: ${lateness}ms
skew: ${skew}ms
${logged ? 'log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }' : ''}
features:
  events_long: { count: events, window: ${window}ms }
  events_short: { count: events, window: ${short}ms }
  events_ok: { count: events, window: ${window}ms, where: { ok: true } }
  amounts: { count: amount, window: ${short}ms, where: { place: [a, "ü", "b'c\\\\d"], amount: { at_least: -50, below: 60 } } }
  total: { sum: amount, window: ${window}ms }
  total_in: { sum: amount, window: ${short}ms, where: { rate: { at_least: 0.1 } } }
  average: { mean: amount, window: ${window}ms }
  lowest: { min: amount, window: ${short}ms }
  highest_rate: { max: rate, window: ${window}ms, where: { ok: [true, false] } }
  first_place: { min: place, window: ${window}ms }
  last_by_name: { max: place, window: ${short}ms }
  places: { distinct: place, window: ${window}ms }
  amounts_seen: { distinct: amount, window: ${short}ms, where: { ok: false } }
  states: { distinct: ok, window: ${window}ms }
  newest_place: { last: place, window: ${window}ms }
  newest_amount: { last: amount, window: ${short}ms, where: { place: a } }
  newest_ok: { last: ok, window: ${window}ms }
  newest_rate: { last: rate, window: ${window}ms }
  since_any: { since: events, window: ${window}ms }
  since_ok: { since: events, window: ${short}ms, where: { ok: true } }
`,
    'every.features.yaml',
  );
}

/** Events of partitions, each in the order of its offsets. */
export type Log = ReadonlyMap<number, readonly StreamEvent[]>;

const PLACES = [null, 'a', 'b', 'ü', 'z', '\u{1F600}', '\uFFFD', "b'c\\d", ''];

/**
 * Small logs in which ties, copies, late events and events ahead of their timestamps are frequent.
 *
 * @param shared whether a key is in both partitions
 */
export function smallLogs(span: number, { minLength = 0, maxLength = 40, shared = false } = {}): fc.Arbitrary<Log> {
  const event = fc.record({
    id: fc.integer({ min: 0, max: 24 }),
    key: fc.integer({ min: 0, max: 2 }),
    at: fc.integer({ min: 0, max: 8 }),
    step: fc.integer({ min: 0, max: 3 }),
    ahead: fc.integer({ min: -8, max: 6 }),
    amount: fc.option(fc.integer({ min: -100, max: 100 })),
    rate: fc.constantFrom(null, 0.1, 0.30000000000000004, -2.5, 1e-9),
    place: fc.constantFrom(...PLACES),
    ok: fc.constantFrom(null, true, false),
  });
  const partition = fc.array(event, { minLength, maxLength, size: 'max' });
  return fc.tuple(partition, partition).map(
    (partitions) =>
      new Map(
        partitions.map((events, number) => {
          let clock = T;
          return [
            number,
            events.map(({ id, key, at, step, ahead, amount, rate, place, ok }, index): StreamEvent => {
              clock += step === 3 ? span : step;
              const time = clock - at;
              return eventOf({
                offset: 10 + index * 2,
                timestamp: time - ahead,
                key: shared ? `u${key}` : `u${number}${key}`,
                id: `e${number}-${id}`,
                time,
                more: [amount, rate, place, ok],
              });
            }),
          ];
        }),
      ),
  );
}

/** An event of `everyFeature`. @param more values after id, key and time */
function eventOf({ more, ...event }: Omit<StreamEvent, 'values'> & { more: readonly FieldValue[] }): StreamEvent {
  return { ...event, values: [event.id, event.key, event.time, ...more] };
}

/** A row per event, as the warehouse's table has them. */
export function rowsOf(log: Log): (readonly FieldValue[])[] {
  return [...log].flatMap(([partition, events]) =>
    events.map(({ values, offset, timestamp }) => [...values, partition, offset, timestamp]),
  );
}

/** A row per accepted event, without where Kafka kept it. */
export function acceptedRows(features: EventFeatures, log: Log): (readonly FieldValue[])[] {
  return [...log.values()]
    .flatMap((events) => expectedOf(features, events))
    .filter(({ verdict }) => verdict === 'accepted')
    .map(({ event }) => event.values);
}

/** Rows that the SQL of a window [start, end) must have, as texts, sorted. */
export function expectedRows(features: EventFeatures, log: Log, [start, end]: readonly [number, number]): string[] {
  const acceptedOf = (events: readonly StreamEvent[]) =>
    expectedOf(features, events).flatMap(({ verdict, event }) => (verdict === 'accepted' ? [event] : []));
  const others = ([of]: readonly [number, unknown]) =>
    features.asOf === 'arrival' ? [] : [...log].flatMap(([partition, events]) => (partition === of ? [] : acceptedOf(events)));
  return [...log]
    .flatMap((one) => expectedOf(features, one[1], others(one)))
    .filter(({ verdict, event: { time } }) => verdict === 'accepted' && time >= start && time < end)
    .map(({ event, features: values = [] }: Expected) => rowText([...event.values, ...values]))
    .sort();
}

/** Values as text: clients have integers as numbers, bigints or text. */
export function rowText(values: readonly unknown[]): string {
  return JSON.stringify(values.map((value) => (value === null || value === undefined ? null : String(value))));
}
