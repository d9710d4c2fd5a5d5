import { DAY, type Delivery } from './deliveries.ts';

// What the replay's query selects, computed without SQL: an independent check of every row of the current table.

export const FEATURES = [
  'orders',
  'cds',
  'amount',
  'largest_order',
  'price_per_cd',
  'order_days',
  'days_since_first',
  'days_since_last',
] as const;
export type Feature = (typeof FEATURES)[number];
export type Features = Readonly<Record<Feature, number | null>>;

/** `steady`: features change only with orders. `aging`: days since the first and last order grow with time. */
export const VARIANTS = ['steady', 'aging'] as const;
export type Variant = (typeof VARIANTS)[number];

export interface AsOf {
  readonly variant: Variant;
  /** Excludes users whose first order is earlier, and orders at or after `end`. Epoch milliseconds. */
  readonly start: number;
  /** Exclusive; can have a fraction, because slices use microseconds. */
  readonly end: number;
  /** The value of `:window_end_date`. */
  readonly endDate: string;
}

/** @returns undefined if the query excludes the user */
export function featuresOf(
  orders: ReadonlyMap<number, readonly Delivery[]> | undefined,
  { variant, start, end, endDate }: AsOf,
): Features | undefined {
  const valid = validOrders(orders, end);
  if (valid.length === 0 || valid.some(({ orderedAt }) => orderedAt < start)) return undefined;
  const cds = valid.reduce((sum, row) => sum + row.cds, 0);
  const amounts = valid.flatMap(({ amount }) => amount ?? []);
  const amount = amounts.length === 0 ? null : amounts.reduce((sum, cents) => sum + cents, 0) / 100;
  const dates = [...new Set(valid.map(({ date }) => date))].sort();
  const [first = '', last = ''] = [dates[0], dates.at(-1)];
  const span = daysBetween(first, last);
  return {
    orders: valid.length,
    cds,
    amount,
    largest_order: amounts.length === 0 ? null : Math.max(...amounts) / 100,
    price_per_cd: amount === null || cds === 0 ? null : amount / cds,
    order_days: dates.length,
    days_since_first: variant === 'aging' ? daysBetween(first, endDate) : span,
    days_since_last: variant === 'aging' ? daysBetween(last, endDate) : span / Math.max(dates.length - 1, 1),
  };
}

/** The first reason why the bundle rejects the features; null if it accepts them. See its ranges in project.ts. */
export function problemOf(features: Features): string | null {
  for (const [name, most] of LIMITS) {
    const value = features[name];
    if (value === null && name !== 'price_per_cd') return `${name} is null`;
    if (value !== null && (value < 0 || value > most)) return `${name} is out of range`;
  }
  return null;
}

const LIMITS = [
  ['amount', 20_000],
  ['largest_order', 20_000],
  ['price_per_cd', 2000],
] as const;

/** A string that is equal for equal features. */
export function vectorOf(features: Features): string {
  return FEATURES.map((name) => {
    const value = features[name];
    return value === null ? '' : Number(value.toPrecision(12));
  }).join(' ');
}

/** The newest version of each order that was placed before `end` and not cancelled. */
export function validOrders(orders: ReadonlyMap<number, readonly Delivery[]> | undefined, end: number): Delivery[] {
  return [...(orders?.values() ?? [])].flatMap((rows) => {
    const row = newest(rows);
    return row === undefined || row.cancelled || row.orderedAt >= end ? [] : [row];
  });
}

function newest(rows: readonly Delivery[]): Delivery | undefined {
  return rows.reduce<Delivery | undefined>(
    (best, row) =>
      best === undefined || row.version > best.version || (row.version === best.version && row.loadedAt > best.loadedAt)
        ? row
        : best,
    undefined,
  );
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY);
}
