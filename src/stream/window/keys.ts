import { KeyEvents } from './key-events.ts';
import type { RecordLayout } from './record-layout.ts';
import type { RunningValues } from './running-values.ts';

const BUCKETS_PER_HORIZON = 64;

/** From this many events on, the features of a key are kept up to date incrementally; with fewer, scanning is faster. */
const MANY = 64;
const FEW = 16;

/** How the events of a key are kept. */
export interface KeyShape {
  readonly layout: RecordLayout;
  readonly keepIds: boolean;
  readonly createRunning: () => RunningValues;
}

/** All keys of a partition. Buckets by time find the keys whose events have all expired, without scanning the others. */
export class Keys {
  #events = 0;
  #bytes = 0;
  readonly #layout: RecordLayout;
  readonly #keepIds: boolean;
  readonly #createRunning: () => RunningValues;
  readonly #keys = new Map<string, KeyEvents>();
  readonly #bucketMs: number;
  /** Each key is in one bucket, at or before that of its newest event; earliest bucket first. */
  readonly #buckets: { readonly end: number; keys: KeyEvents[] }[] = [];

  constructor({ layout, keepIds, createRunning }: KeyShape, horizonMs: number) {
    this.#layout = layout;
    this.#keepIds = keepIds;
    this.#createRunning = createRunning;
    this.#bucketMs = Math.max(1, Math.ceil(horizonMs / BUCKETS_PER_HORIZON));
  }

  get size(): number {
    return this.#keys.size;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds an accepted event to its key.
   *
   * @param oldest events before this time leave
   * @param most events per key; beyond, the oldest leave
   */
  insert(
    { key, id, record }: { readonly key: string; readonly id: string; readonly record: Float64Array },
    oldest: number,
    most: number,
  ): KeyEvents {
    let events = this.#keys.get(key);
    const isNew = events === undefined;
    events ??= new KeyEvents(key, this.#layout, this.#keepIds);
    const before = isNew ? 0 : events.bytes;
    this.#events -= events.removeBefore(oldest);
    events.insert(record, id);
    this.#events += 1;
    if (events.size > most) {
      events.dropFirst();
      this.#events -= 1;
    }
    this.#adapt(events);
    this.#bytes += events.bytes - before;
    if (isNew) {
      this.#keys.set(key, events);
      this.#file(events, record[0] as number);
    }
    return events;
  }

  /** Removes keys without events at or after a time, soon after it has passed. */
  removeBefore(oldest: number): void {
    for (let first = this.#buckets[0]; first !== undefined && first.end <= oldest; first = this.#buckets[0]) {
      this.#buckets.shift();
      for (const events of first.keys) this.#check(events, oldest);
    }
  }

  #check(events: KeyEvents, oldest: number): void {
    const before = events.bytes;
    this.#events -= events.removeBefore(oldest);
    if (events.size === 0) {
      this.#keys.delete(events.key);
      this.#bytes -= before;
    } else {
      this.#adapt(events);
      this.#bytes += events.bytes - before;
      this.#file(events, events.newest);
    }
  }

  #adapt(events: KeyEvents): void {
    if (events.size > MANY) events.running ??= this.#createRunning();
    else if (events.size < FEW) events.running = undefined;
  }

  #file(events: KeyEvents, newest: number): void {
    const end = (Math.floor(newest / this.#bucketMs) + 1) * this.#bucketMs;
    let at = this.#buckets.length;
    while (at > 0 && (this.#buckets[at - 1]?.end ?? 0) > end) at -= 1;
    const bucket = this.#buckets[at - 1];
    if (bucket?.end === end) bucket.keys.push(events);
    else this.#buckets.splice(at, 0, { end, keys: [events] });
  }
}
