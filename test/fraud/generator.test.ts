import { expect, it } from 'vitest';
import { drawDays } from '../../scripts/fraud/day.ts';
import { deliver } from '../../scripts/fraud/deliveries.ts';
import { eventLines } from '../../scripts/fraud/event-lines.ts';
import { transactionsCsv } from '../../scripts/fraud/landed.ts';

const DAY = { seed: 7, users: 200, payments: 4000, start: Date.parse('2025-06-02'), days: 2 };
const drawn = drawDays(DAY);
const deliveries = deliver(drawn.transactions, { seed: 7, partitions: 3 });

it('gives the same day for the same seed, and another one for another', () => {
  const lines = eventLines(deliveries);
  expect(eventLines(deliver(drawDays(DAY).transactions, { seed: 7, partitions: 3 }))).toBe(lines);
  expect(eventLines(deliver(drawDays({ ...DAY, seed: 8 }).transactions, { seed: 7, partitions: 3 }))).not.toBe(lines);
});

it('tells nobody which payments are fraud, not even by their ids', () => {
  expect(new Set([...drawn.labels.values()].map(({ kind }) => kind))).toEqual(
    new Set(['card testing', 'account take-over', 'single fraud']),
  );
  const fields = ['transaction_id', 'user_id', 'at', 'amount', 'merchant', 'category', 'country', 'declined'];
  expect(drawn.transactions.every((transaction) => Object.keys(transaction).join() === fields.join())).toBe(true);
  const ids = drawn.transactions.map(({ transaction_id }) => transaction_id);
  expect(ids).toEqual([...ids].sort());
  const times = drawn.transactions.map(({ at }) => at);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

it('keeps each burst within minutes, of one user, and makes users hurry who are no thieves', () => {
  const bursts = groupBy(
    drawn.transactions.filter(({ transaction_id }) => drawn.labels.has(transaction_id)),
    ({ transaction_id }) => drawn.labels.get(transaction_id)?.burst,
  );
  for (const payments of bursts.values()) {
    expect(new Set(payments.map(({ user_id }) => user_id)).size).toBe(1);
    expect(Math.max(...payments.map(({ at }) => at)) - Math.min(...payments.map(({ at }) => at))).toBeLessThan(30 * 60_000);
  }
  const own = drawn.transactions.filter(({ transaction_id }) => !drawn.labels.has(transaction_id));
  const minutes = groupBy(own, ({ user_id, at }) => `${user_id} ${Math.floor(at / 300_000)}`);
  expect([...minutes.values()].filter((payments) => payments.length >= 5).length).toBeGreaterThan(10);
});

it('places records as Kafka does: an offset after the other, keys in one partition, timestamps that ascend', () => {
  const places = new Map<string, number>();
  const ends = [0, 0, 0];
  let before = 0;
  for (const { key, partition, offset, timestamp } of deliveries) {
    if (key !== null) expect(places.get(key) ?? partition).toBe(partition);
    if (key !== null) places.set(key, partition);
    expect(offset).toBe(ends[partition]);
    ends[partition] = offset + 1;
    expect(timestamp).toBeGreaterThanOrEqual(before);
    before = timestamp;
  }
  expect(new Set(places.values())).toEqual(new Set([0, 1, 2]));
});

it('has what a topic has: order that is lost, repeated, late and early records, some that are no events', () => {
  const events = deliveries.flatMap(({ event, timestamp }) => (event === undefined ? [] : [{ ...event, timestamp }]));
  const at = events.map((event) => event.at);
  expect(at).not.toEqual([...at].sort((a, b) => a - b));
  expect(new Set(events.map(({ transaction_id }) => transaction_id)).size).toBeLessThan(events.length);
  expect(events.some(({ at: time, timestamp }) => time < timestamp - 30_000)).toBe(true);
  expect(events.some(({ at: time, timestamp }) => time > timestamp + 30_000)).toBe(true);
  expect(deliveries.length).toBeGreaterThan(events.length);
  // The warehouse has a row per event, and none for the other records.
  expect(transactionsCsv(deliveries).trim().split('\n')).toHaveLength(events.length + 1);
});

function groupBy<T, K>(list: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}
