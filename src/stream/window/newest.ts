import type { FeatureValue } from '../event.ts';
import type { Range } from './aggregate.ts';
import { OFFSET, TIME } from './record-layout.ts';
import type { Records } from './records.ts';
import { type Selection, valueAt } from './selection.ts';
import { compareTexts } from './text-order.ts';

/** The value at the greatest (time, id). It is searched again only after that event has left. */
export class RunningLast {
  readonly bytesPerEvent = 0;
  readonly #selection: Selection;
  readonly #decode: (number: number) => FeatureValue;
  #value = Number.NaN;
  #time = 0;
  #id = '';
  #offset = -1;
  #hasLeft = false;

  constructor(selection: Selection, decode: (number: number) => FeatureValue) {
    this.#selection = selection;
    this.#decode = decode;
  }

  clear(): void {
    this.#value = Number.NaN;
    this.#offset = -1;
    this.#hasLeft = false;
  }

  add(events: Records, index: number): void {
    if (!this.#hasLeft) this.#meet(events, index);
  }

  remove({ data }: Records, index: number): void {
    if (data[index * this.#selection.width + OFFSET] === this.#offset) this.#hasLeft = true;
  }

  value({ events, from, to }: Range): FeatureValue {
    if (this.#hasLeft) {
      this.clear();
      for (let index = to - 1; index >= from && !this.#isPast(events, index); index -= 1) this.#meet(events, index);
    }
    return this.#decode(this.#value);
  }

  #isPast({ data }: Records, index: number): boolean {
    return this.#offset >= 0 && (data[index * this.#selection.width + TIME] as number) < this.#time;
  }

  #meet({ data, ids = [] }: Records, index: number): void {
    const value = valueAt(this.#selection, data, index);
    if (Number.isNaN(value)) return;
    const at = index * this.#selection.width;
    const time = data[at + TIME] as number;
    const id = ids[index] ?? '';
    if (this.#offset >= 0 && (time < this.#time || (time === this.#time && compareTexts(id, this.#id) <= 0))) return;
    this.#value = value;
    this.#time = time;
    this.#id = id;
    this.#offset = data[at + OFFSET] as number;
  }
}

interface Newest {
  readonly time: number;
  readonly offset: number;
}

/** The newest two events, one of which may be the event itself. They are searched again only after one of them has left. */
export class RunningSince {
  readonly bytesPerEvent = 0;
  readonly #selection: Selection;
  #newest: Newest | undefined;
  #second: Newest | undefined;
  #hasLeft = false;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  clear(): void {
    this.#newest = undefined;
    this.#second = undefined;
    this.#hasLeft = false;
  }

  add(events: Records, index: number): void {
    if (!this.#hasLeft) this.#meet(events, index);
  }

  remove({ data }: Records, index: number): void {
    const offset = data[index * this.#selection.width + OFFSET];
    if (offset === this.#newest?.offset || offset === this.#second?.offset) this.#hasLeft = true;
  }

  value({ events, from, to, time, offset }: Range): number | null {
    if (this.#hasLeft) {
      this.clear();
      for (let index = to - 1; index >= from && this.#second === undefined; index -= 1) this.#meet(events, index);
    }
    const other = this.#newest?.offset === offset ? this.#second : this.#newest;
    return other === undefined ? null : time - other.time;
  }

  #meet({ data }: Records, index: number): void {
    if (Number.isNaN(valueAt(this.#selection, data, index))) return;
    const at = index * this.#selection.width;
    const time = data[at + TIME] as number;
    if (this.#second !== undefined && time < this.#second.time) return;
    const met = { time, offset: data[at + OFFSET] as number };
    if (this.#newest === undefined || time >= this.#newest.time) {
      this.#second = this.#newest;
      this.#newest = met;
    } else {
      this.#second = met;
    }
  }
}
