import { type AsOf, type EventFeatures, horizonMs } from '../../../src/event-features/definition.ts';
import type { EventRejection, FeatureValue, StreamEvent } from '../../../src/stream/event.ts';
import type { LogRecord } from '../../../src/stream/log.ts';
import type { NoEvent } from '../../../src/stream/partition/ports.ts';

/** The lengths of the windows of count and sum. */
const COUNT_MS = 5000;
const SUM_MS = 3000;

/** A model refuses this amount. */
export const REFUSED_AMOUNT = 13;

export const FEATURES: EventFeatures = {
  name: 'simulated',
  asOf: 'event',
  key: 'key',
  id: 'id',
  time: 'time',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'key', type: 'string' },
    { name: 'time', type: 'int64' },
    { name: 'amount', type: 'int64' },
  ],
  latenessMs: 2000,
  skewMs: 500,
  log: undefined,
  features: [
    { name: 'count', aggregate: 'count', field: undefined, windowMs: COUNT_MS, where: [] },
    { name: 'sum', aggregate: 'sum', field: 'amount', windowMs: SUM_MS, where: [] },
    { name: 'since', aggregate: 'since', field: undefined, windowMs: COUNT_MS, where: [] },
  ],
  digest: 'f'.repeat(64),
};

/** What must become of an offset. */
export type Expected =
  | { readonly is: 'scored'; readonly event: StreamEvent; readonly features: readonly FeatureValue[] }
  | { readonly is: 'rejected'; readonly reason: EventRejection }
  | { readonly is: 'dropped' };

export interface Verdicts {
  /** By offset. */
  readonly expected: ReadonlyMap<number, Expected>;
  /** Accepted events from here on wait for others, as of event; null if there is none. */
  readonly frontier: number | null;
}

export function decode(record: LogRecord): StreamEvent | NoEvent {
  const text = record.value?.toString() ?? '';
  if (!text.startsWith('{')) return { reason: 'not an event' };
  const { id, key, time, amount } = JSON.parse(text) as { id: string; key: string; time: number; amount: number };
  return { offset: record.offset, timestamp: record.timestamp, key, id, time, values: [id, key, time, amount] };
}

/** Computes from the whole log of a partition, by the rules and nothing else, what must be written for it. */
export function verdictsOf(records: readonly LogRecord[], features: EventFeatures): Verdicts {
  const { asOf, latenessMs, skewMs } = features;
  const expected = new Map<number, Expected>();
  const valid: StreamEvent[] = [];
  const accepted: StreamEvent[] = [];
  let maximum: number | null = null;
  for (const record of records) {
    const event = decode(record);
    if ('reason' in event) {
      expected.set(record.offset, { is: 'rejected', reason: event.reason });
    } else if (event.time > event.timestamp + skewMs) {
      expected.set(event.offset, { is: 'rejected', reason: 'ahead of its timestamp' });
    } else {
      maximum = Math.max(maximum ?? event.time, event.time);
      const oldest = maximum - horizonMs(features);
      if (valid.some(({ id, time }) => id === event.id && time >= oldest)) expected.set(event.offset, { is: 'dropped' });
      else if (event.time < maximum - latenessMs) expected.set(event.offset, { is: 'rejected', reason: 'late' });
      else accepted.push(event);
      valid.push(event);
    }
  }
  for (const event of accepted) {
    expected.set(
      event.offset,
      event.values[3] === REFUSED_AMOUNT
        ? { is: 'rejected', reason: 'refused by the model' }
        : { is: 'scored', event, features: featuresOf(event, accepted, asOf) },
    );
  }
  return { expected, frontier: asOf === 'event' && maximum !== null ? maximum - latenessMs : null };
}

/** Count, sum and since, from the definition. */
function featuresOf(event: StreamEvent, accepted: readonly StreamEvent[], asOf: AsOf): FeatureValue[] {
  const within = (ms: number) =>
    accepted.filter(
      ({ key, time, offset }) =>
        key === event.key && time >= event.time - ms && time <= event.time && (asOf === 'event' || offset <= event.offset),
    );
  const others = within(COUNT_MS).filter(({ offset }) => offset !== event.offset);
  return [
    within(COUNT_MS).length,
    within(SUM_MS).reduce((sum, { values }) => sum + (values[3] as number), 0),
    others.length === 0 ? null : event.time - Math.max(...others.map(({ time }) => time)),
  ];
}
