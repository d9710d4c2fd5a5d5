import type { StreamEvent } from '../event.ts';
import type { KeyEvents } from './key-events.ts';

/** Approximate bytes of a pending event: its object, its values array, its time as a number. */
const EVENT_BYTES = 160;
const VALUE_BYTES = 16;

interface PendingEvent {
  readonly event: StreamEvent;
  readonly key: KeyEvents;
}

/** Accepted events that wait until no earlier one can come: a heap by (time, offset). */
export class Pending {
  #bytes = 0;
  readonly #events: StreamEvent[] = [];
  readonly #keys: KeyEvents[] = [];

  get size(): number {
    return this.#events.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Infinity if none is pending. */
  get earliest(): number {
    return this.#events[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  push(event: StreamEvent, key: KeyEvents): void {
    this.#bytes += bytesOf(event);
    let at = this.#events.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#events[parent];
      if (above === undefined || isBefore(above, event)) break;
      this.#put(at, above, this.#keys[parent]);
      at = parent;
    }
    this.#put(at, event, key);
  }

  /** Takes the earliest event; undefined if none is pending. */
  pop(): PendingEvent | undefined {
    const event = this.#events[0];
    const key = this.#keys[0];
    const last = this.#events.pop();
    const lastKey = this.#keys.pop();
    if (event === undefined || key === undefined || last === undefined) return undefined;
    if (this.#events.length > 0) this.#sink(last, lastKey);
    this.#bytes -= bytesOf(event);
    return { event, key };
  }

  /** In the order of (time, offset). */
  takeAll(): PendingEvent[] {
    const all: PendingEvent[] = [];
    for (let next = this.pop(); next !== undefined; next = this.pop()) all.push(next);
    return all;
  }

  /** Takes the events with the lowest offsets, in that order. */
  takeByOffset(count: number): PendingEvent[] {
    const offsets = Float64Array.from(this.#events, ({ offset }) => offset).sort();
    const end = offsets[count] ?? Number.POSITIVE_INFINITY;
    const taken: PendingEvent[] = [];
    let size = 0;
    for (const [at, event] of this.#events.entries()) {
      const key = this.#keys[at] as KeyEvents;
      if (event.offset < end) {
        taken.push({ event, key });
        this.#bytes -= bytesOf(event);
      } else {
        this.#put(size, event, key);
        size += 1;
      }
    }
    this.#events.length = size;
    this.#keys.length = size;
    for (let at = (size >> 1) - 1; at >= 0; at -= 1) this.#sink(this.#events[at] as StreamEvent, this.#keys[at], at);
    return taken.sort((a, b) => a.event.offset - b.event.offset);
  }

  /** Infinity if none is pending. */
  get lowestOffset(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { offset } of this.#events) if (offset < lowest) lowest = offset;
    return lowest;
  }

  #sink(event: StreamEvent, key: KeyEvents | undefined, from = 0): void {
    const size = this.#events.length;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      let below = this.#events[child] as StreamEvent;
      const right = this.#events[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (isBefore(event, below)) break;
      this.#put(at, below, this.#keys[child]);
      at = child;
    }
    this.#put(at, event, key);
  }

  #put(at: number, event: StreamEvent, key: KeyEvents | undefined): void {
    this.#events[at] = event;
    this.#keys[at] = key as KeyEvents;
  }
}

function isBefore(a: StreamEvent, b: StreamEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.offset < b.offset);
}

function bytesOf({ key, id, values }: StreamEvent): number {
  let bytes = EVENT_BYTES + key.length + id.length;
  for (const value of values) bytes += VALUE_BYTES + (typeof value === 'string' ? value.length : 0);
  return bytes;
}
