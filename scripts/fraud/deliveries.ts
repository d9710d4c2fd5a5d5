import { partitionOf } from '../../src/stream/kafka/partitioner.ts';
import type { Transaction } from './day.ts';
import { draws } from './draws.ts';
import { MINUTE, SECOND } from './payments.ts';

/** A record of the topic. */
export interface Delivery {
  readonly partition: number;
  readonly offset: number;
  /** Arrival time, epoch milliseconds. */
  readonly timestamp: number;
  /** Null if the value is broken. */
  readonly key: string | null;
  readonly value: string;
  /** Content of the value; undefined if it is not an event. */
  readonly event: Transaction | undefined;
}

/** As shares of the events. */
const RATES = { repeated: 0.003, late: 0.001, ahead: 0.0005, poison: 0.0005 };
/** Mean milliseconds between payment and arrival. */
const MEAN_DELAY = 400;
/** Less than the job's lateness, so that only intentionally late events are late. */
const MAX_DELAY = 4 * SECOND;

type Arrival = Omit<Delivery, 'partition' | 'offset'>;

/**
 * Simulates how events reach a topic: out of order within seconds, some twice, a few late or with a wrong clock, a few that are
 * not events.
 *
 * @returns in order of arrival
 */
export function deliver(
  transactions: readonly Transaction[],
  { seed, partitions }: { readonly seed: number; readonly partitions: number },
): Delivery[] {
  const random = draws(seed);
  const delay = () => Math.round(Math.min(MAX_DELAY, random.wait(MEAN_DELAY)));
  const arrivals: Arrival[] = [];
  for (const transaction of transactions) {
    const record = recordOf(transaction);
    const isLate = random.chance(RATES.late);
    const timestamp = transaction.at + (isLate ? random.between(MINUTE, 10 * MINUTE) : delay());
    arrivals.push({ timestamp, ...record });
    if (random.chance(RATES.repeated)) arrivals.push({ timestamp: timestamp + random.between(1, 30 * SECOND), ...record });
    if (random.chance(RATES.ahead)) {
      const wrong = { ...transaction, transaction_id: `${transaction.transaction_id}-clock`, at: transaction.at + 60 * MINUTE };
      arrivals.push({ timestamp, ...recordOf(wrong) });
    }
    if (random.chance(RATES.poison)) arrivals.push({ timestamp, ...poison(random.between(0, 5), transaction) });
  }
  arrivals.sort((a, b) => a.timestamp - b.timestamp);
  const ends = new Array<number>(partitions).fill(0);
  return arrivals.map((arrival) => {
    // Same partitions as with `score-batch stream --events`.
    const partition = arrival.key === null ? 0 : partitionOf(Buffer.from(arrival.key), partitions);
    const offset = ends[partition] ?? 0;
    ends[partition] = offset + 1;
    return { partition, offset, ...arrival };
  });
}

function recordOf(event: Transaction): Omit<Arrival, 'timestamp'> {
  return { key: event.user_id, value: JSON.stringify(event), event };
}

/** Records that cannot be scored: broken text, and events with one error. */
function poison(kind: number, transaction: Transaction): Omit<Arrival, 'timestamp'> {
  const { user_id: key, transaction_id, at } = transaction;
  const wrong = { ...transaction, transaction_id: `${transaction_id}-wrong` };
  const noEvent = (value: object) => ({ key, value: JSON.stringify(value), event: undefined });
  if (kind === 0) return { key: null, value: JSON.stringify(wrong).slice(0, 40), event: undefined };
  if (kind === 1) return noEvent({ ...wrong, at: Math.floor(at / 1000) });
  if (kind === 2) return noEvent({ ...wrong, amount: '12.50' });
  if (kind === 3) return noEvent({ ...wrong, at: undefined });
  if (kind === 4) return noEvent({ ...wrong, transaction_id: null });
  // A valid event that the model rejects.
  return recordOf({ ...wrong, amount: null });
}
