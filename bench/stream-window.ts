// Cost of a partition's windows, without JSON, Kafka and the model: events per second of one core, in processor time, which
// other load affects less than wall time.
//
//   npm run bench:stream-window -- --events 1000000

import { parseArgs } from 'node:util';
import type { EventFeatures, WindowFeature } from '../src/event-features/definition.ts';
import { seededRandom } from '../src/random.ts';
import type { StreamEvent } from '../src/stream/event.ts';
import { createPartitionWindow } from '../src/stream/window/window.ts';

const { values: flags } = parseArgs({ options: { events: { type: 'string', default: '1000000' } } });
const EVENTS = Number(flags.events);
const BATCH = 1_000;
const MINUTES_5 = 300_000;
const START = Date.UTC(2026, 0, 5);

/** The features of docs/event-features.md. */
const FEATURES: readonly Omit<WindowFeature, 'name'>[] = [
  { aggregate: 'count', field: undefined, windowMs: MINUTES_5, where: [] },
  { aggregate: 'sum', field: 'amount', windowMs: MINUTES_5, where: [] },
  { aggregate: 'mean', field: 'amount', windowMs: MINUTES_5, where: [] },
  { aggregate: 'max', field: 'amount', windowMs: MINUTES_5, where: [] },
  { aggregate: 'distinct', field: 'merchant', windowMs: MINUTES_5, where: [] },
  { aggregate: 'count', field: undefined, windowMs: 60_000, where: [{ field: 'declined', is: [true] }] },
  { aggregate: 'since', field: undefined, windowMs: MINUTES_5, where: [] },
  { aggregate: 'last', field: 'country', windowMs: MINUTES_5, where: [] },
];

interface Load {
  readonly name: string;
  readonly keys: number;
  /** Events per second of event time. */
  readonly rate: number;
  /** Maximum disorder of events, in milliseconds. */
  readonly jitterMs: number;
}

const LOADS: readonly Load[] = [
  { name: '20 events a key, in order', keys: 75_000, rate: 5_000, jitterMs: 0 },
  { name: '20 events a key, out of order by 2 s', keys: 75_000, rate: 5_000, jitterMs: 2_000 },
  { name: '1 event a key', keys: 1_500_000, rate: 5_000, jitterMs: 0 },
  { name: '200 events a key, in order', keys: 7_500, rate: 5_000, jitterMs: 0 },
  { name: '1 key, in order', keys: 1, rate: EVENTS / 300, jitterMs: 0 },
  { name: '1 key, out of order by 2 s', keys: 1, rate: EVENTS / 300, jitterMs: 2_000 },
  { name: '1 key, one instant', keys: 1, rate: Number.POSITIVE_INFINITY, jitterMs: 0 },
];

process.stdout.write(
  '| events | as of | CPU s | events/s | keys | in windows | state MB |\n| :-- | :-- | --: | --: | --: | --: | --: |\n',
);
for (const load of LOADS) for (const asOf of ['arrival', 'event'] as const) measure(load, asOf);

function measure(load: Load, asOf: EventFeatures['asOf']): void {
  const events = eventsOf(load);
  const window = createPartitionWindow(definition(asOf), { eventsPerKey: 10_000 });
  const start = process.cpuUsage();
  let due = 0;
  let most = { keys: 0, events: 0, bytes: 0 };
  for (let i = 0; i < EVENTS; i += BATCH) {
    for (const event of events(Math.min(BATCH, EVENTS - i))) window.add(event);
    due += window.takeDue().length;
    window.checkpoint();
    if (window.bytes > most.bytes) most = { keys: window.keys, events: window.events, bytes: window.bytes };
  }
  const { user, system } = process.cpuUsage(start);
  // Creating the events is not counted as the window's work.
  const again = eventsOf(load);
  const made = process.cpuUsage();
  for (let i = 0; i < EVENTS; i += BATCH) again(Math.min(BATCH, EVENTS - i));
  const making = process.cpuUsage(made);
  const seconds = (user + system - making.user - making.system) / 1e6;
  if (due + window.pending !== EVENTS) throw new Error(`${due + window.pending} of ${EVENTS} events were accepted`);
  const figures = [most.keys, most.events, Math.round(most.bytes / 1e6)].map((figure) => figure.toLocaleString('en'));
  process.stdout.write(
    `| ${load.name} | ${asOf} | ${seconds.toFixed(2)} | ${Math.round(EVENTS / seconds).toLocaleString('en')} | ${figures.join(' | ')} |\n`,
  );
}

/** Creates the next events of a log. */
function eventsOf({ keys, rate, jitterMs }: Load): (count: number) => StreamEvent[] {
  const random = seededRandom(1);
  let offset = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      const now = START + Math.floor((offset / rate) * 1000);
      const time = now - Math.floor(random() * (jitterMs + 1));
      const key = `user-${Math.floor(random() * keys)}`;
      const id = `transaction-${offset}`;
      const amount = Math.floor(random() * 100_000);
      const merchant = `merchant-${Math.floor(random() * 2_000)}`;
      const country = `C${Math.floor(random() * 50)}`;
      const event: StreamEvent = {
        offset,
        timestamp: now,
        key,
        id,
        time,
        values: [id, key, time, amount, merchant, country, random() < 0.1],
      };
      offset += 1;
      return event;
    });
}

function definition(asOf: EventFeatures['asOf']): EventFeatures {
  return {
    name: 'bench',
    asOf,
    key: 'user',
    id: 'id',
    time: 'at',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'user', type: 'string' },
      { name: 'at', type: 'int64' },
      { name: 'amount', type: 'int64' },
      { name: 'merchant', type: 'string' },
      { name: 'country', type: 'string' },
      { name: 'declined', type: 'bool' },
    ],
    latenessMs: 5_000,
    skewMs: 5_000,
    log: undefined,
    features: FEATURES.map((feature, i) => ({ name: `feature_${i}`, ...feature })),
    digest: '',
  };
}
