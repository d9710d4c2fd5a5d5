import type { Transaction } from './day.ts';
import { draws } from './draws.ts';
import { MINUTE, SECOND } from './payments.ts';

/** A record as it comes to the topic. */
export interface Delivery {
  /** When it comes: Kafka's timestamp, epoch milliseconds. */
  readonly timestamp: number;
  readonly key: string;
  readonly value: string;
  /** What the value says; undefined if it is no event. */
  readonly event: Transaction | undefined;
}

/** Shares of the events. */
const RATES = { repeated: 0.003, late: 0.001, ahead: 0.0005, poison: 0.0005 };
/** Of the time between payment and arrival. */
const MEAN_DELAY = 400;
/** Below the lateness of the job, so that only those that are meant to be late are late. */
const MAX_DELAY = 4 * SECOND;

/** Events on their way: out of order within seconds, some twice, a few late, by a wrong clock or without sense. By their arrival. */
export function deliver(transactions: readonly Transaction[], seed: number): Delivery[] {
  const random = draws(seed);
  const delay = () => Math.round(Math.min(MAX_DELAY, random.wait(MEAN_DELAY)));
  const deliveries: Delivery[] = [];
  for (const transaction of transactions) {
    const record = recordOf(transaction);
    const isLate = random.chance(RATES.late);
    const timestamp = transaction.at + (isLate ? random.between(MINUTE, 10 * MINUTE) : delay());
    deliveries.push({ timestamp, ...record });
    if (random.chance(RATES.repeated)) deliveries.push({ timestamp: timestamp + random.between(1, 30 * SECOND), ...record });
    if (random.chance(RATES.ahead)) {
      const wrong = { ...transaction, transaction_id: `${transaction.transaction_id}-clock`, at: transaction.at + 60 * MINUTE };
      deliveries.push({ timestamp, ...recordOf(wrong) });
    }
    if (random.chance(RATES.poison))
      deliveries.push({ timestamp, event: undefined, ...poison(random.between(0, 5), transaction) });
  }
  return deliveries.sort((a, b) => a.timestamp - b.timestamp);
}

function recordOf(event: Transaction): Omit<Delivery, 'timestamp'> {
  return { key: event.user_id, value: JSON.stringify(event), event };
}

/** What no reader can score: a broken text, and events with one thing wrong. */
function poison(kind: number, transaction: Transaction): Pick<Delivery, 'key' | 'value'> {
  const { user_id: key, transaction_id: id, at } = transaction;
  const changed = (change: Record<string, unknown>) =>
    JSON.stringify({ ...transaction, transaction_id: `${id}-wrong`, ...change });
  if (kind === 0) return { key, value: JSON.stringify(transaction).slice(0, 40) };
  if (kind === 1) return { key, value: changed({ at: Math.floor(at / 1000) }) };
  if (kind === 2) return { key, value: changed({ amount: '12.50' }) };
  if (kind === 3) return { key, value: changed({ at: undefined }) };
  if (kind === 4) return { key: `${key}0`, value: changed({}) };
  return { key, value: changed({ transaction_id: null }) };
}
