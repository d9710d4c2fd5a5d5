import { VECTOR_WIDTH, type Vector, type VectorType } from '../duckdb/vector.ts';

// A ring of batches in shared memory. One thread puts rows in, as vectors of a database come; scoring workers take whole batches.
// Every batch but the last has the same number of rows, however the rows come: a row's ordinal says which batch it is in.

/** Words of the control block; one word for each slot follows, with the rows of the batch in it, 0 where it is free. */
const PUBLISHED = 0;
const TAKEN = 1;
const FREED = 2;
const STOPPED = 3;
const TOTAL = 4;
const SLOTS = 8;
/** Value of TOTAL while more may come. */
const OPEN = -1;

/** How long anybody waits before looking again whether to stop, though nobody woke it. */
const LOOK_MS = 1_000;

export interface RingLayout {
  readonly types: readonly VectorType[];
  /** Rows of a batch. */
  readonly batchRows: number;
  readonly slots: number;
}

/** Shared between threads; plain data. */
export interface SharedRing extends RingLayout {
  readonly control: SharedArrayBuffer;
  readonly memory: SharedArrayBuffer;
}

/** Thrown in who waits on a ring that was stopped: what stopped it says why. */
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

/** Bytes of a batch in the ring: values, then a bit per value that says whether it is there, then a byte per column for whether any is not. */
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

/** Stops everybody who waits on the ring, and whoever comes. */
export function stopRing({ control }: SharedRing): void {
  const words = new Int32Array(control);
  Atomics.store(words, STOPPED, 1);
  Atomics.notify(words, PUBLISHED);
  Atomics.notify(words, FREED);
}

export function isStopped({ control }: SharedRing): boolean {
  return Atomics.load(new Int32Array(control), STOPPED) !== 0;
}

/** Batches that were scored. */
export function scoredBatches({ control }: SharedRing): number {
  return Atomics.load(new Int32Array(control), FREED);
}

/** The side of the one thread that puts rows in. */
export interface RingWriter {
  /** Puts rows in, and waits where the ring is full. @returns ordinal of the first of them @throws RingStopped */
  put(rows: number, columns: readonly Vector[]): number;
  /** Hands over what is there, and says that no more comes. @returns rows in all */
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
      Atomics.wait(words, FREED, freed, LOOK_MS);
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

/** A batch that a worker has taken; its views live until it is freed. */
export interface Batch {
  /** Position among all batches: its first row has the ordinal `sequence * batchRows`. */
  readonly sequence: number;
  readonly rows: number;
  /** Bytes of a column's values, and its bits where it has nulls. */
  readonly columns: readonly Vector[];
  free(): void;
}

/** The side of one scoring worker. */
export interface RingReader {
  /** Waits for the next batch. @returns undefined once there is none left @throws RingStopped */
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
        Atomics.wait(words, PUBLISHED, published, LOOK_MS);
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

/** Sets `count` bits from bit `from` on. */
function setBits(bytes: Uint8Array, at: number, from: number, count: number): void {
  let bit = from;
  const end = from + count;
  for (; bit < end && (bit & 7) !== 0; bit += 1) bytes[at + (bit >> 3)] = (bytes[at + (bit >> 3)] as number) | (1 << (bit & 7));
  // Bits beyond the last one are of rows that come later, and are written with them.
  if (bit < end) bytes.fill(255, at + (bit >> 3), at + ((end + 7) >> 3));
}

/** Copies `count` bits; a byte at a time where both begin with one, which is where vectors are whole. */
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
