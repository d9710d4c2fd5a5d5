import type { SliceDetails } from '../../src/domain/slice.ts';
import { dayStart, plusDays, wallClock } from '../../src/window/calendar.ts';
import { HOUR, ZONE } from './deliveries.ts';
import { type AsOf, type Features, featuresOf, type Variant, validOrders } from './features.ts';
import { SINCE } from './project.ts';
import { microseconds } from './publications.ts';
import type { ShopRows } from './shop-rows.ts';

const LOOKBACK = HOUR;

/** What a slice can see of the orders at one moment. */
export interface View {
  /** Users with rows in the slice's spans or its look-back. */
  changed(slice: SliceDetails): ReadonlySet<number>;
  /** Undefined for a user missing from the query. */
  features(customer: number, asOf: string): Features | undefined;
  /** When the user's first order before the instant was placed. */
  firstOrder(customer: number, asOf: string): number;
  customers(): Iterable<number>;
  /** Number of rows of the user's orders. */
  rowsOf(customer: number): number;
}

export function viewOf(rows: ShopRows, variant: Variant): View {
  const start = dayStart(SINCE, ZONE);
  let newest: { readonly asOf: string; readonly instant: AsOf } | undefined;
  const at = (asOf: string) => {
    if (newest?.asOf !== asOf)
      newest = { asOf, instant: { variant, start, end: microseconds(asOf) / 1000, endDate: dateAfter(asOf) } };
    return newest.instant;
  };
  return {
    changed({ spans }) {
      const keys = new Set<number>();
      for (const { from, to } of spans) {
        // The previous slice's greatest watermark is read again, and one look-back before it.
        const first = from === null ? -Infinity : (microseconds(from) - 1) / 1000 - LOOKBACK;
        for (const key of rows.changed(first, microseconds(to) / 1000)) keys.add(key);
      }
      return keys;
    },
    features: (customer, asOf) => featuresOf(rows.customers.get(customer), at(asOf)),
    firstOrder: (customer, asOf) =>
      Math.min(...validOrders(rows.customers.get(customer), at(asOf).end).map(({ orderedAt }) => orderedAt)),
    customers: () => rows.customers.keys(),
    rowsOf: (customer) => [...(rows.customers.get(customer)?.values() ?? [])].reduce((sum, list) => sum + list.length, 0),
  };
}

/** Keeps what a slice can see now, for use after the orders have changed. */
export function keptView(view: View, slice: SliceDetails): View {
  const changed = view.changed(slice);
  const chosen = slice.kind === 'changes' ? changed : [...view.customers()];
  const features = new Map([...chosen].map((customer) => [customer, view.features(customer, slice.as_of)]));
  return { ...view, changed: () => changed, features: (customer) => features.get(customer), customers: () => features.keys() };
}

/** The first local date that starts at or after an instant. */
function dateAfter(asOf: string): string {
  return plusDays(wallClock(Math.floor((microseconds(asOf) - 1) / 1000), ZONE).slice(0, 10), 1);
}
