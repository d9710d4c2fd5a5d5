import { VECTOR_WIDTH, type Vector, type VectorType } from '../duckdb/vector.ts';

// A ring of batches in shared memory. One thread puts rows in, in vectors of any size; scoring workers take whole batches. Every
// batch except the last has the same number of rows, so a row's ordinal determines its batch.

/** Words of the control block. One word per slot follows: the rows of its batch, 0 if the slot is free. */
const PUBLISHED = 0;
const TAKEN = 1;
const FREED = 2;
const STOPPED = 3;
const TOTAL = 4;
const SLOTS = 8;
/** Value of TOTAL while more batches may come. */
const OPEN = -1;

/** Longest wait before a thread checks again whether the ring was stopped. */
const POLL_MS = 1_000;

export interface RingLayout {
  readonly types: readonly VectorType[];
  /** Rows per batch. */
  readonly batchRows: number;
  readonly slots: number;
}

/** Shared between threads; plain data. */
export interface SharedRing extends RingLayout {
  readonly control: SharedArrayBuffer;
  readonly memory: SharedArrayBuffer;
}

/** Thrown to every thread that waits on a stopped ring. The cause is reported elsewhere. */
export class RingStopped extends Error {
  static readonly MESSAGE = 'the ring was stopped';
  override readonly name = 'RingStopped';

  constructor() {
    super(RingStopped.MESSAGE);
  }
}

export function createRing(layout: RingLayout): SharedRing {
  const control = new SharedArrayBuffer((SLOTS + layout.slots) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(control)[TOTAL] = OPEN;
  return { ...layout, control, memory: new SharedArrayBuffer(slotBytes(layout) * layout.slots) };
}

/** Bytes of a batch in the ring: the values, then a validity bit per value, then a byte per column that is 1 if it has nulls. */
export function slotBytes({ types, batchRows }: Pick<RingLayout, 'types' | 'batchRows'>): number {
  return placesOf(types, batchRows).bytes;
}

interface Place {
  readonly width: number;
  readonly values: number;
  readonly valid: number;
  readonly nulls: number;
}

function placesOf(
  types: readonly VectorType[],
  batchRows: number,
): { readonly places: readonly Place[]; readonly bytes: number } {
  let at = 0;
  const take = (bytes: number) => {
    const start = at;
    at = Math.ceil((at + bytes) / 8) * 8;
    return start;
  };
  const values = types.map((type) => take(batchRows * VECTOR_WIDTH[type]));
  const valid = types.map(() => take(Math.ceil(batchRows / 8)));
  const nulls = take(types.length);
  const places = types.map((type, i) => ({
    width: VECTOR_WIDTH[type],
    values: values[i] as number,
    valid: valid[i] as number,
    nulls: nulls + i,
  }));
  return { places, bytes: at };
}

/** Makes all current and future calls on the ring throw `RingStopped`. */
export function stopRing({ control }: SharedRing): void {
  const words = new Int32Array(control);
  Atomics.store(words, STOPPED, 1);
  Atomics.notify(words, PUBLISHED);
  Atomics.notify(words, FREED);
}

export function isStopped({ control }: SharedRing): boolean {
  return Atomics.load(new Int32Array(control), STOPPED) !== 0;
}

/** Number of batches scored so far. */
export function scoredBatches({ control }: SharedRing): number {
  return Atomics.load(new Int32Array(control), FREED);
}

/** For the one thread that puts rows in. */
export interface RingWriter {
  /** Puts rows in; blocks while the ring is full. @returns ordinal of the first row @throws RingStopped */
  put(rows: number, columns: readonly Vector[]): number;
  /** Publishes the last batch and closes the ring for writing. @returns number of all rows */
  end(): number;
}

export function writeRing(ring: SharedRing): RingWriter {
  const { types, batchRows, slots } = ring;
  const { places, bytes: size } = placesOf(types, batchRows);
  const words = new Int32Array(ring.control);
  const memory = new Uint8Array(ring.memory);
  let sequence = 0;
  let filled = 0;
  let total = 0;
  const waitForSlot = (): void => {
    const slot = SLOTS + (sequence % slots);
    for (;;) {
      if (Atomics.load(words, STOPPED) !== 0) throw new RingStopped();
      const freed = Atomics.load(words, FREED);
      if (Atomics.load(words, slot) === 0) break;
      Atomics.wait(words, FREED, freed, POLL_MS);
    }
    const start = (sequence % slots) * size + (places[0]?.nulls ?? 0);
    memory.fill(0, start, start + places.length);
  };
  const publish = (): void => {
    Atomics.store(words, SLOTS + (sequence % slots), filled);
    sequence += 1;
    filled = 0;
    Atomics.store(words, PUBLISHED, sequence);
    Atomics.notify(words, PUBLISHED);
  };
  return {
    put(rows, columns) {
      for (let done = 0; done < rows; ) {
        if (filled === 0) waitForSlot();
        const count = Math.min(rows - done, batchRows - filled);
        const start = (sequence % slots) * size;
        for (let i = 0; i < places.length; i += 1) {
          const { width, values, valid, nulls } = places[i] as Place;
          const column = columns[i] as Vector;
          memory.set(column.bytes.subarray(done * width, (done + count) * width), start + values + filled * width);
          if (column.valid !== undefined) {
            if (memory[start + nulls] === 0) setBits(memory, start + valid, 0, filled);
            memory[start + nulls] = 1;
            copyBits(column.valid, done, memory, start + valid, filled, count);
          } else if (memory[start + nulls] !== 0) setBits(memory, start + valid, filled, count);
        }
        filled += count;
        done += count;
        if (filled === batchRows) publish();
      }
      const first = total;
      total += rows;
      return first;
    },
    end() {
      if (filled > 0) publish();
      Atomics.store(words, TOTAL, sequence);
      Atomics.notify(words, PUBLISHED);
      return total;
    },
  };
}

/** A batch that a worker has taken. Its views are valid until it is freed. */
export interface Batch {
  /** Position among all batches: its first row has the ordinal `sequence * batchRows`. */
  readonly sequence: number;
  readonly rows: number;
  /** The values of each column, with validity bits if it has nulls. */
  readonly columns: readonly Vector[];
  free(): void;
}

/** For a scoring worker. */
export interface RingReader {
  /** Blocks until there is a batch. @returns undefined after the last one @throws RingStopped */
  take(): Batch | undefined;
}

export function readRing(ring: SharedRing): RingReader {
  const { types, batchRows, slots } = ring;
  const { places, bytes: size } = placesOf(types, batchRows);
  const words = new Int32Array(ring.control);
  const memory = new Uint8Array(ring.memory);
  return {
    take() {
      const sequence = Atomics.add(words, TAKEN, 1);
      for (;;) {
        if (Atomics.load(words, STOPPED) !== 0) throw new RingStopped();
        const published = Atomics.load(words, PUBLISHED);
        if (published > sequence) break;
        const total = Atomics.load(words, TOTAL);
        if (total !== OPEN && sequence >= total) return undefined;
        Atomics.wait(words, PUBLISHED, published, POLL_MS);
      }
      const slot = sequence % slots;
      const rows = Atomics.load(words, SLOTS + slot);
      const start = slot * size;
      const columns = places.map(({ width, values, valid, nulls }) => ({
        bytes: memory.subarray(start + values, start + values + rows * width),
        valid:
          memory[start + nulls] === 0 ? undefined : memory.subarray(start + valid, start + valid + Math.ceil(batchRows / 8)),
      }));
      return {
        sequence,
        rows,
        columns,
        free() {
          Atomics.store(words, SLOTS + slot, 0);
          Atomics.add(words, FREED, 1);
          Atomics.notify(words, FREED);
        },
      };
    },
  };
}

/** Sets `count` bits, starting at bit `from`. */
function setBits(bytes: Uint8Array, at: number, from: number, count: number): void {
  let bit = from;
  const end = from + count;
  for (; bit < end && (bit & 7) !== 0; bit += 1) bytes[at + (bit >> 3)] = (bytes[at + (bit >> 3)] as number) | (1 << (bit & 7));
  // This may set bits beyond the last one. They belong to later rows, which will overwrite them.
  if (bit < end) bytes.fill(255, at + (bit >> 3), at + ((end + 7) >> 3));
}

/** Copies `count` bits. Whole bytes at a time if both sides start at one, as whole vectors do. */
function copyBits(source: Uint8Array, from: number, target: Uint8Array, at: number, to: number, count: number): void {
  if ((from & 7) === 0 && (to & 7) === 0) {
    target.set(source.subarray(from >> 3, (from + count + 7) >> 3), at + (to >> 3));
    return;
  }
  for (let i = 0; i < count; i += 1) {
    const bit = ((source[(from + i) >> 3] as number) >> ((from + i) & 7)) & 1;
    const place = at + ((to + i) >> 3);
    const mask = 1 << ((to + i) & 7);
    target[place] = bit === 1 ? (target[place] as number) | mask : (target[place] as number) & ~mask;
  }
}
