import { readFileSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '../../src/random.ts';
import { dayStart } from '../../src/window/calendar.ts';
import { ROOT } from '../root.ts';

// The orders of the CD shop as a warehouse receives them: late, out of order, twice, corrected. All instants are epoch
// milliseconds.

export const ZONE = 'America/New_York';

/** A row of the table `orders`: one delivered version of an order. */
export interface Delivery {
  readonly order: number;
  /** The highest version of an order is the valid one. */
  readonly version: number;
  readonly customer: number;
  readonly orderedAt: number;
  /** Local date of `orderedAt`. */
  readonly date: string;
  readonly cds: number;
  /** In cents; null if it was lost. */
  readonly amount: number | null;
  readonly cancelled: boolean;
  /** The watermark. */
  readonly loadedAt: number;
  /** When a reader can see the row: at or after `loadedAt`, for example if its transaction commits late. */
  readonly visibleAt: number;
}

/** Deletes all rows of an order or of a customer from the table. No watermark shows it. */
export interface Removal {
  readonly at: number;
  readonly customer: number;
  /** Undefined: all orders of the customer so far. */
  readonly order: number | undefined;
}

export interface History {
  /** In the order in which they become visible. */
  readonly deliveries: readonly Delivery[];
  /** In order of time. */
  readonly removals: readonly Removal[];
}

export interface HistoryOptions {
  readonly seed: number;
  /** First local date to leave out. */
  readonly until: string;
  /** From this instant on, a customer's first order can arrive after the week in which it was placed. */
  readonly lateCustomersFrom: number;
}

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const TIE = 15 * MINUTE;

/** How many orders in a thousand are placed by the end of each of the 24 hours. */
const PLACED_BY = [
  8, 12, 15, 18, 21, 28, 45, 80, 130, 190, 255, 325, 395, 460, 520, 580, 640, 700, 765, 835, 895, 940, 970, 1000,
];

/** As shares of orders; the last one of customers. */
const RATES = {
  midnight: 0.004,
  late: 0.04,
  tie: 0.12,
  hidden: 0.06,
  repeated: 0.03,
  corrected: 0.03,
  wrong: 0.006,
  cancelled: 0.008,
  deleted: 0.006,
  forgotten: 0.004,
};

/** Draws the fate of the orders of data/cdnow from a seed. */
export function drawHistory({ seed, until, lateCustomersFrom }: HistoryOptions): History {
  const random = seededRandom(seed);
  const chance = (rate: number) => random() < rate;
  const between = (from: number, to: number) => Math.round(from + random() * (to - from));
  const deliveries: Delivery[] = [];
  const removals: Removal[] = [];
  const seen = new Set<number>();
  for (const [order, { customer, date, cds, amount }] of readOrders(until).entries()) {
    const orderedAt = startOf(date) + (chance(RATES.midnight) ? 0 : timeOfDay(random));
    const isFirst = !seen.has(customer);
    seen.add(customer);
    const weekEnd = mondayAfter(orderedAt);
    const isBound = isFirst && orderedAt < lateCustomersFrom;
    const row = { order, customer, orderedAt, date, cds, amount, cancelled: false };
    const deliver = (version: number, loaded: number, change: Partial<Pick<Delivery, 'amount' | 'cancelled'>> = {}) => {
      let loadedAt = chance(RATES.tie) ? Math.ceil(loaded / TIE) * TIE : loaded;
      let visibleAt = loadedAt + (chance(RATES.hidden) ? between(0, 50 * MINUTE) : 0);
      if (isBound && version === 1 && visibleAt > weekEnd && loaded <= weekEnd + DAY) {
        loadedAt = Math.max(orderedAt, Math.min(loadedAt, weekEnd - MINUTE));
        visibleAt = loadedAt;
      }
      deliveries.push({ ...row, version, ...change, loadedAt, visibleAt });
    };
    let [version, last] = [1, orderedAt + between(MINUTE, 30 * MINUTE)];
    const deliverNext = (after: number, change: Partial<Pick<Delivery, 'amount' | 'cancelled'>> = {}) => {
      version += 1;
      last += after;
      deliver(version, last, change);
    };
    if (chance(RATES.late)) {
      last += between(HOUR, 6 * DAY);
      if (isBound) last = Math.min(last, Math.max(orderedAt, weekEnd - HOUR));
    }
    const first = last;
    const wrong = chance(RATES.wrong) ? { amount: [5_000_000, -100, null][between(0, 2)] ?? null } : {};
    deliver(1, first, wrong);
    if ('amount' in wrong) deliverNext(between(HOUR, 3 * DAY));
    if (chance(RATES.corrected)) deliverNext(between(HOUR, WEEK), { amount: amount + between(1, 3000) });
    if (chance(RATES.cancelled)) deliverNext(between(HOUR, WEEK), { cancelled: true });
    if (chance(RATES.repeated)) deliver(1, first + between(0, 3 * DAY), wrong);
    if (chance(RATES.deleted)) removals.push({ at: last + between(2 * HOUR, 10 * DAY), customer, order });
    if (isFirst && chance(RATES.forgotten))
      removals.push({ at: last + between(2 * HOUR, 20 * DAY), customer, order: undefined });
  }
  deliveries.sort((a, b) => a.visibleAt - b.visibleAt);
  removals.sort((a, b) => a.at - b.at);
  return { deliveries, removals };
}

interface Order {
  readonly customer: number;
  readonly date: string;
  readonly cds: number;
  readonly amount: number;
}

function readOrders(until: string): Order[] {
  const [, ...lines] = readFileSync(path.join(ROOT, 'data/cdnow/transactions.csv'), 'utf8').trim().split('\n');
  const orders = lines.map((line) => {
    const [customer, date = '', cds, amount] = line.split(',');
    return { customer: Number(customer), date, cds: Number(cds), amount: Math.round(Number(amount) * 100) };
  });
  // The file is sorted by customer.
  return orders.filter(({ date }) => date < until).sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

function timeOfDay(random: () => number): number {
  const place = random() * 1000;
  const hour = PLACED_BY.findIndex((by) => place < by);
  return hour * HOUR + Math.floor(random() * HOUR);
}

const starts = new Map<string, number>();

/** Start of a local date. */
function startOf(date: string): number {
  const known = starts.get(date) ?? dayStart(date, ZONE);
  starts.set(date, known);
  return known;
}

/** Clocks do not change during the replay, so every day has 24 hours. */
function mondayAfter(instant: number): number {
  const monday = startOf('1996-12-30');
  return monday + (Math.floor((instant - monday) / WEEK) + 1) * WEEK;
}
