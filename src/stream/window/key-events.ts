import { OFFSET, type RecordLayout, TIME } from './record-layout.ts';
import type { RunningValues } from './running-values.ts';

const FIRST_CAPACITY = 4;
/** Approximate bytes of a key without its characters and records: a map entry, this object, an array buffer. */
const KEY_BYTES = 360;
const ID_BYTES = 48;

/** The accepted events of a key in memory: records by (time, offset), oldest first. */
export class KeyEvents {
  readonly key: string;
  /** Records `from` to `to`, each of `width` numbers. */
  data: Float64Array;
  /** One per record; undefined if no feature asks for ids. */
  readonly ids: string[] | undefined;
  from = 0;
  to = 0;
  /** The newest event that was dropped because the key had too many. */
  droppedTime = Number.NEGATIVE_INFINITY;
  droppedOffset = -1;
  /** Set for a key that has many events. */
  running: RunningValues | undefined;
  readonly #layout: RecordLayout;
  #capacity = FIRST_CAPACITY;
  #idBytes = 0;

  constructor(key: string, layout: RecordLayout, keepIds: boolean) {
    this.key = key;
    this.#layout = layout;
    this.data = new Float64Array(FIRST_CAPACITY * layout.width);
    this.ids = keepIds ? [] : undefined;
  }

  get size(): number {
    return this.to - this.from;
  }

  get bytes(): number {
    return KEY_BYTES + this.key.length + this.data.byteLength + this.#idBytes + (this.running?.bytes(this.size) ?? 0);
  }

  /** Time of the newest event; there must be one. */
  get newest(): number {
    return this.data[(this.to - 1) * this.#layout.width + TIME] as number;
  }

  /** Whether an accepted event was dropped because the key had too many. */
  hasDropped(time: number, offset: number): boolean {
    return time < this.droppedTime || (time === this.droppedTime && offset <= this.droppedOffset);
  }

  /** The first record at or after a time. */
  firstFrom(time: number): number {
    const { width } = this.#layout;
    let low = this.from;
    let high = this.to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.data[middle * width + TIME] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Inserts a record after those of the same time: events come in the order of their offsets.
   *
   * @returns its index
   */
  insert(record: Float64Array, id: string): number {
    const { width } = this.#layout;
    if (this.to === this.#capacity) this.#makeRoom();
    const time = record[TIME] as number;
    const at = this.to === this.from || this.newest <= time ? this.to : this.firstFrom(time + 1);
    if (at < this.to) this.data.copyWithin((at + 1) * width, at * width, this.to * width);
    this.data.set(record, at * width);
    this.to += 1;
    if (this.ids !== undefined) {
      if (at === this.to - 1) this.ids[at] = id;
      else this.ids.splice(at, 0, id);
      this.#idBytes += ID_BYTES + id.length;
    }
    this.running?.inserted(this, at);
    return at;
  }

  /** Removes the oldest record. */
  removeFirst(): void {
    this.running?.removing(this);
    this.#layout.release(this.data, this.from * this.#layout.width);
    if (this.ids !== undefined) {
      this.#idBytes -= ID_BYTES + (this.ids[this.from]?.length ?? 0);
      this.ids[this.from] = '';
    }
    this.from += 1;
  }

  /** Drops the oldest record because the key has too many. */
  dropFirst(): void {
    const at = this.from * this.#layout.width;
    const time = this.data[at + TIME] as number;
    const offset = this.data[at + OFFSET] as number;
    // A late arrival may be older than one dropped before.
    if (!this.hasDropped(time, offset)) {
      this.droppedTime = time;
      this.droppedOffset = offset;
    }
    this.removeFirst();
  }

  /** Removes records before a time. @returns how many */
  removeBefore(time: number): number {
    const before = this.from;
    while (this.from < this.to && (this.data[this.from * this.#layout.width + TIME] as number) < time) this.removeFirst();
    return this.from - before;
  }

  /** Moves the records to the start of the array; doubles it if it was more than half full, shrinks it if most have left. */
  #makeRoom(): void {
    const { width } = this.#layout;
    const { size } = this;
    let capacity = this.#capacity;
    if (size * 2 > capacity) capacity *= 2;
    else while (capacity > FIRST_CAPACITY && size * 4 <= capacity) capacity /= 2;
    if (capacity === this.#capacity) {
      this.data.copyWithin(0, this.from * width, this.to * width);
    } else {
      const data = new Float64Array(capacity * width);
      data.set(this.data.subarray(this.from * width, this.to * width));
      this.data = data;
      this.#capacity = capacity;
    }
    this.ids?.splice(0, this.from);
    this.from = 0;
    this.to = size;
  }
}
