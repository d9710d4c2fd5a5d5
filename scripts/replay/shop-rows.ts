import type { Delivery, History, Removal } from './deliveries.ts';

/** Changes in the table `orders`. */
export interface ShopChange {
  readonly inserted: readonly Delivery[];
  /** Orders whose rows were all deleted. */
  readonly deletedOrders: readonly number[];
}

/** The rows of the table `orders` as a reader sees them at one moment of the replay. */
export interface ShopRows {
  /** Advances to an instant. @returns what to do in the warehouse */
  advance(to: number): ShopChange;
  /** Rows per order, by customer. */
  readonly customers: ReadonlyMap<number, ReadonlyMap<number, readonly Delivery[]>>;
  /** Customers with a row whose watermark is within [from, to). */
  changed(from: number, to: number): ReadonlySet<number>;
  /** Customers whose rows were deleted, with the time of the last deletion. */
  readonly removed: ReadonlyMap<number, number>;
  rows(): number;
}

export function shopRows({ deliveries, removals }: History): ShopRows {
  const customers = new Map<number, Map<number, Delivery[]>>();
  const removed = new Map<number, number>();
  const gone = new Set<number>();
  let waiting: Removal[] = [];
  let [delivered, planned, count] = [0, 0, 0];
  /** Sorted by watermark; few rows are added at a time, near the end. */
  const loaded: Delivery[] = [];

  function insert(row: Delivery): void {
    const orders = customers.get(row.customer) ?? new Map<number, Delivery[]>();
    customers.set(row.customer, orders);
    orders.set(row.order, [...(orders.get(row.order) ?? []), row]);
    let at = loaded.length;
    while (at > 0 && (loaded[at - 1]?.loadedAt ?? 0) > row.loadedAt) at -= 1;
    loaded.splice(at, 0, row);
    count += 1;
  }

  function remove(customer: number, order: number): void {
    const orders = customers.get(customer);
    const rows = orders?.get(order) ?? [];
    for (const row of rows) loaded.splice(loaded.indexOf(row), 1);
    count -= rows.length;
    orders?.delete(order);
    gone.add(order);
  }

  function advance(to: number): ShopChange {
    const inserted: Delivery[] = [];
    for (; (deliveries[delivered]?.visibleAt ?? Infinity) <= to; delivered += 1) {
      const row = deliveries[delivered] as Delivery;
      // Deleted orders do not come back.
      if (gone.has(row.order)) continue;
      insert(row);
      inserted.push(row);
    }
    for (; (removals[planned]?.at ?? Infinity) <= to; planned += 1) waiting.push(removals[planned] as Removal);
    const deletedOrders: number[] = [];
    const later: Removal[] = [];
    const newest = loaded.at(-1)?.loadedAt;
    for (const removal of waiting) {
      const orders = customers.get(removal.customer) ?? new Map<number, Delivery[]>();
      const chosen = [...orders.keys()].filter((order) => removal.order === undefined || order === removal.order);
      // Keeps the newest watermark: otherwise the table would appear truncated.
      if (chosen.some((order) => orders.get(order)?.some(({ loadedAt }) => loadedAt === newest))) later.push(removal);
      else {
        for (const order of chosen) remove(removal.customer, order);
        if (chosen.length > 0) removed.set(removal.customer, to);
        deletedOrders.push(...chosen);
      }
    }
    waiting = later;
    // A row may have come and gone since the last call.
    return { inserted: inserted.filter(({ order }) => !gone.has(order)), deletedOrders };
  }

  function changed(from: number, to: number): Set<number> {
    const keys = new Set<number>();
    for (let i = loaded.length - 1; i >= 0 && (loaded[i]?.loadedAt ?? 0) >= from; i -= 1) {
      const row = loaded[i] as Delivery;
      if (row.loadedAt < to) keys.add(row.customer);
    }
    return keys;
  }

  return { advance, customers, changed, removed, rows: () => count };
}
