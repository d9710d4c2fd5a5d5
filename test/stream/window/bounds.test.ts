import { describe, expect, it } from 'vitest';
import { type EventFeatures, horizonMs } from '../../../src/event-features/definition.ts';
import type { StreamEvent } from '../../../src/stream/event.ts';
import { createPartitionWindow } from '../../../src/stream/window/window.ts';

const START = Date.UTC(2026, 0, 5);

const DEFINITION: EventFeatures = {
  name: 'bounds',
  asOf: 'arrival',
  key: 'user',
  id: 'id',
  time: 'at',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'user', type: 'string' },
    { name: 'at', type: 'int64' },
    { name: 'cents', type: 'int64' },
    { name: 'shop', type: 'string' },
  ],
  latenessMs: 5_000,
  skewMs: 5_000,
  log: undefined,
  features: (
    [
      ['count', undefined],
      ['sum', 'cents'],
      ['mean', 'cents'],
      ['min', 'cents'],
      ['max', 'cents'],
      ['distinct', 'shop'],
      ['last', 'shop'],
      ['since', undefined],
    ] as const
  ).map(([aggregate, field], i) => ({ name: `f${i}`, aggregate, field, windowMs: 300_000, where: [] })),
  digest: '',
};

function eventAt(offset: number, time: number, key: string, cents = offset): StreamEvent {
  const id = `id-${offset}`;
  return { offset, timestamp: time, key, id, time, values: [id, key, time, cents, `shop-${offset % 1000}`] };
}

describe.each(['arrival', 'event'] as const)('as of %s', (asOf) => {
  const definition = { ...DEFINITION, asOf };

  it('a key with a million events in five minutes takes what the cap allows, and is capped', () => {
    const EVENTS = 1_000_000;
    const window = createPartitionWindow(definition, { eventsPerKey: 10_000 });
    let due = 0;
    let capped = 0;
    let mostBytes = 0;
    for (let offset = 0; offset < EVENTS; offset += 1) {
      window.add(eventAt(offset, START + Math.floor((offset * 300_000) / EVENTS), 'k'));
      if (offset % 5_000 !== 0) continue;
      const taken = window.takeDue();
      due += taken.length;
      capped += taken.filter((event) => event.capped).length;
      mostBytes = Math.max(mostBytes, window.bytes);
    }
    const rest = window.takeDue(true);
    due += rest.length;
    const last = rest.at(-1);
    const newest = EVENTS - 1;
    expect(due).toBe(EVENTS);
    expect(window.events).toBe(10_000);
    expect(window.keys).toBe(1);
    // Nearly all of it are the ids, which must be known for window and lateness.
    expect(mostBytes).toBeLessThan(110 * EVENTS);
    expect(last?.capped).toBe(true);
    const sum = ((newest + newest - 9_999) * 10_000) / 2;
    expect(last?.features).toEqual([10_000, sum, sum / 10_000, newest - 9_999, newest, 1_000, `shop-${newest % 1000}`, 0]);
    expect(capped).toBeGreaterThan(900_000);
  });

  it('old keys, events, texts and ids leave as time moves on, a few at a time', () => {
    const window = createPartitionWindow(definition, { eventsPerKey: 10_000 });
    for (let offset = 0; offset < 20_000; offset += 1) window.add(eventAt(offset, START + offset, `k${offset}`));
    window.takeDue(true);
    expect(window.keys).toBe(20_000);
    const full = window.bytes;
    const later = START + 20_000 + 2 * horizonMs(definition);
    window.add(eventAt(20_000, later, 'k'));
    window.add(eventAt(20_001, later + 10_000, 'k'));
    window.takeDue(true);
    expect(window.keys).toBe(1);
    expect(window.events).toBe(2);
    expect(window.bytes).toBeLessThan(full / 1_000);
    // All before the last segment has left.
    expect(window.checkpoint().replay.offset).toBeGreaterThan(17_000);
  });

  it('adds exactly to the ends of int64, and rejects an event whose sum is beyond', () => {
    const sums = (cents: readonly number[]) => {
      const window = createPartitionWindow(definition, { eventsPerKey: 10_000 });
      cents.forEach((of, offset) => {
        window.add(eventAt(offset, START, 'k', of));
      });
      return window.takeDue(true).at(-1)?.features?.slice(1, 3);
    };
    const edge = 2 ** 53 - 1;
    expect(sums([edge])).toEqual([edge, edge]);
    expect(sums([edge, 1])).toEqual([2n ** 53n, 2 ** 52]);
    expect(sums([edge, edge, -edge])).toEqual([edge, edge / 3]);
    expect(sums([-edge, -2])).toEqual([-(2n ** 53n) - 1n, -(2 ** 52)]);
    // 1024 times 2^53 - 1 is 2^63 - 1024.
    const most = Array.from({ length: 1024 }, () => edge);
    expect(sums([...most, 1023])?.[0]).toBe(2n ** 63n - 1n);
    expect(sums([...most, 1024])).toBeUndefined();
    expect(sums([...most, 1024, -1])?.[0]).toBe(2n ** 63n - 1n);
    expect(sums([...most.map((value) => -value), -1024])?.[0]).toBe(-(2n ** 63n));
    expect(sums([...most.map((value) => -value), -1025])).toBeUndefined();
  });
});
