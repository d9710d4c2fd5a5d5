import type { Condition, EventFeatures, FieldValue, WindowFeature } from '../../src/event-features/definition.ts';
import type { FeatureValue, StreamEvent } from '../../src/stream/event.ts';
import type { Verdict } from '../../src/stream/partition-window.ts';

/** What becomes of an event, written from docs/event-features.md alone. */
export interface Expected {
  readonly event: StreamEvent;
  readonly verdict: Verdict;
  /** Of accepted events, in the order of the feature file; undefined for the others, and where a sum overflows int64. */
  readonly features: readonly FeatureValue[] | undefined;
}

const MOST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

/**
 * What becomes of all events of one partition, in the order of their offsets. Takes time that grows with the square of events.
 *
 * @param others accepted events of other partitions, in which a key is that is not the message key; as of event only
 */
export function expectedOf(
  features: EventFeatures,
  events: readonly StreamEvent[],
  others: readonly StreamEvent[] = [],
): Expected[] {
  const verdicts = verdictsOf(features, events);
  const accepted = [...others, ...events.filter((_, index) => verdicts[index] === 'accepted')];
  return events.map((event, index) => {
    const verdict = verdicts[index] ?? 'late';
    if (verdict !== 'accepted') return { event, verdict, features: undefined };
    const values = features.features.map((feature) => featureOf(features, feature, event, accepted));
    return { event, verdict, features: values.includes(undefined) ? undefined : (values as FeatureValue[]) };
  });
}

/** Rules 2 to 6. */
function verdictsOf({ features, latenessMs, skewMs }: EventFeatures, events: readonly StreamEvent[]): Verdict[] {
  const horizon = features.reduce((longest, { windowMs }) => Math.max(longest, windowMs), 0) + latenessMs;
  const valid = events.filter(({ time, timestamp }) => time <= timestamp + skewMs);
  return events.map((event) => {
    if (!valid.includes(event)) return 'ahead of its timestamp';
    const maximum = Math.max(...valid.filter(({ offset }) => offset <= event.offset).map(({ time }) => time));
    const earlier = valid.filter(({ id, offset }) => id === event.id && offset < event.offset);
    if (earlier.some(({ time }) => time >= maximum - horizon)) return 'duplicate';
    return event.time < maximum - latenessMs ? 'late' : 'accepted';
  });
}

/** @returns undefined for a sum beyond int64 */
function featureOf(
  { asOf, fields }: EventFeatures,
  { aggregate, field, windowMs, where }: WindowFeature,
  event: StreamEvent,
  accepted: readonly StreamEvent[],
): FeatureValue | undefined {
  const column = (name: string) => fields.findIndex((one) => one.name === name);
  const seen = accepted.filter(
    (other) =>
      other.key === event.key &&
      other.time >= event.time - windowMs &&
      other.time <= event.time &&
      (asOf === 'event' || other.offset <= event.offset) &&
      where.every((condition) => fulfils(condition, other.values[column(condition.field)] ?? null)),
  );
  if (aggregate === 'since') {
    const others = seen.filter((other) => other !== event);
    return others.length === 0 ? null : event.time - Math.max(...others.map(({ time }) => time));
  }
  if (field === undefined) return seen.length;
  const having = seen.filter((other) => (other.values[column(field)] ?? null) !== null);
  const values = having.map((other) => other.values[column(field)] as string | number | boolean);
  if (aggregate === 'count') return values.length;
  if (aggregate === 'distinct') return new Set(values).size;
  if (values.length === 0) return null;
  switch (aggregate) {
    case 'sum':
    case 'mean': {
      const sum = values.reduce<bigint>((total, value) => total + BigInt(value as number), 0n);
      if (sum > MOST || sum < LEAST) return undefined;
      if (aggregate === 'mean') return Number(sum) / values.length;
      return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum;
    }
    case 'min':
      return [...values].sort(compare)[0] ?? null;
    case 'max':
      return [...values].sort(compare).at(-1) ?? null;
    case 'last':
      return [...having].sort((a, b) => a.time - b.time || compare(a.id, b.id)).at(-1)?.values[column(field)] ?? null;
  }
}

function fulfils(condition: Condition, value: FieldValue): boolean {
  if (value === null) return false;
  if ('is' in condition) return condition.is.includes(value);
  const { atLeast = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = condition;
  return typeof value === 'number' && value >= atLeast && value < below;
}

/** Numbers by size, texts by their UTF-8 bytes. */
function compare(a: string | number | boolean, b: string | number | boolean): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}
