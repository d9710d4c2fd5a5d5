import type { StreamEvent } from '../event.ts';
import type { KeyEvents } from './key-events.ts';

/** About what an event takes while it waits: its object, its array of values, its time as a number. */
const EVENT_BYTES = 160;
const VALUE_BYTES = 16;

/** Accepted events that wait until no earlier one can come, by (time, offset): a heap. */
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

  /** Infinity if none waits. */
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

  /** Takes the earliest one; undefined if none waits. */
  pop(): { readonly event: StreamEvent; readonly key: KeyEvents } | undefined {
    const event = this.#events[0];
    const key = this.#keys[0];
    const last = this.#events.pop();
    const lastKey = this.#keys.pop();
    if (event === undefined || key === undefined || last === undefined) return undefined;
    if (this.#events.length > 0) this.#sink(last, lastKey);
    this.#bytes -= bytesOf(event);
    return { event, key };
  }

  #sink(event: StreamEvent, key: KeyEvents | undefined): void {
    const size = this.#events.length;
    let at = 0;
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
