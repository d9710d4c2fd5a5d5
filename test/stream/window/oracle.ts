import type { Condition, EventFeatures, FieldValue, WindowFeature } from '../../../src/event-features/definition.ts';
import type { DueEvent, FeatureValue, StreamEvent } from '../../../src/stream/event.ts';
import type { Verdict } from '../../../src/stream/partition-window.ts';

interface Seen {
  readonly event: StreamEvent;
  readonly verdict: Verdict;
  /** Running maximum, the event included; undefined before the first valid one. */
  readonly maximum: number | undefined;
}

/** What the meaning of features says about a log, word by word and without a thought of speed. */
export function expectedOf(
  definition: EventFeatures,
  log: readonly StreamEvent[],
  most: number,
): { readonly verdicts: Verdict[]; readonly due: DueEvent[] } {
  const { features, latenessMs } = definition;
  const longest = Math.max(0, ...features.map(({ windowMs }) => windowMs));
  const seen = read(definition, log, longest + latenessMs);
  const accepted = seen.filter(({ verdict }) => verdict === 'accepted').map(({ event }) => event);
  const due = accepted.flatMap((event): DueEvent[] => {
    const until = definition.asOf === 'arrival' ? event.offset + 1 : dueAt(event, seen, latenessMs);
    if (until === undefined) return [];
    const of = accepted.filter(({ key, offset }) => key === event.key && offset < until).sort(byTime);
    const kept = of.slice(Math.max(0, of.length - most));
    const dropped = of.slice(0, Math.max(0, of.length - most));
    const from = kept.includes(event) ? kept : [event];
    const values = features.map((feature) => featureOf(definition, feature, event, from));
    return [
      {
        event,
        features: values.includes('overflow') ? undefined : (values as FeatureValue[]),
        capped: dropped.some(({ time }) => time >= event.time - longest),
        idle: false,
      },
    ];
  });
  if (definition.asOf === 'event') due.sort((a, b) => byTime(a.event, b.event));
  return { verdicts: seen.map(({ verdict }) => verdict), due };
}

/** The offset of the first valid event that moved the maximum so far that nothing can come before this one any more. */
function dueAt(event: StreamEvent, seen: readonly Seen[], latenessMs: number): number | undefined {
  const then = seen.find(
    (other) => other.event.offset > event.offset && other.maximum !== undefined && event.time < other.maximum - latenessMs,
  );
  return then?.event.offset;
}

function read({ latenessMs, skewMs }: EventFeatures, log: readonly StreamEvent[], horizon: number): Seen[] {
  const seen: Seen[] = [];
  for (const event of log) {
    const valid = seen.filter(({ verdict }) => verdict !== 'ahead of its timestamp').map((other) => other.event);
    if (event.time > event.timestamp + skewMs) {
      seen.push({ event, verdict: 'ahead of its timestamp', maximum: valid.length > 0 ? greatest(valid) : undefined });
      continue;
    }
    const maximum = greatest([...valid, event]);
    const copies = valid.filter(({ id }) => id === event.id);
    const verdict = copies.some(({ time }) => time >= maximum - horizon)
      ? 'duplicate'
      : event.time < maximum - latenessMs
        ? 'late'
        : 'accepted';
    seen.push({ event, verdict, maximum });
  }
  return seen;
}

function greatest(events: readonly StreamEvent[]): number {
  return Math.max(...events.map(({ time }) => time));
}

function byTime(a: StreamEvent, b: StreamEvent): number {
  return a.time - b.time || a.offset - b.offset;
}

function featureOf(
  definition: EventFeatures,
  feature: WindowFeature,
  event: StreamEvent,
  from: readonly StreamEvent[],
): FeatureValue | 'overflow' {
  const valueIn = ({ values }: StreamEvent, name: string): FieldValue =>
    values[definition.fields.findIndex((field) => field.name === name)] ?? null;
  const chosen = from.filter(
    (other) =>
      other.time >= event.time - feature.windowMs &&
      other.time <= event.time &&
      feature.where.every((condition) => fulfils(condition, valueIn(other, condition.field))),
  );
  if (feature.aggregate === 'since') {
    const others = chosen.filter(({ offset }) => offset !== event.offset);
    return others.length === 0 ? null : event.time - greatest(others);
  }
  const { field } = feature;
  if (field === undefined) return chosen.length;
  const withValue = chosen.filter((other) => valueIn(other, field) !== null);
  const values = withValue.map((other) => valueIn(other, field));
  if (feature.aggregate === 'count') return values.length;
  if (feature.aggregate === 'distinct') return new Set(values).size;
  if (values.length === 0) return null;
  const sorted = [...values].sort(inOrder);
  switch (feature.aggregate) {
    case 'min':
      return sorted.at(0) ?? null;
    case 'max':
      return sorted.at(-1) ?? null;
    case 'last': {
      const newest = withValue.sort((a, b) => a.time - b.time || inOrder(a.id, b.id)).at(-1);
      return newest === undefined ? null : valueIn(newest, field);
    }
    default: {
      const sum = values.reduce((all, value) => all + BigInt(value as number), 0n);
      if (sum !== BigInt.asIntN(64, sum)) return 'overflow';
      if (feature.aggregate === 'mean') return Number(sum) / values.length;
      return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum;
    }
  }
}

function fulfils(condition: Condition, value: FieldValue): boolean {
  if (value === null) return false;
  if ('is' in condition) return condition.is.includes(value);
  const { atLeast, below } = condition;
  return (atLeast === undefined || Number(value) >= atLeast) && (below === undefined || Number(value) < below);
}

function inOrder(a: FieldValue, b: FieldValue): number {
  return typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) : Number(a) - Number(b);
}
