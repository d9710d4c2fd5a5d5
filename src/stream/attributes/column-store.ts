import type { FieldType, FieldValue } from '../../event-features/definition.ts';

/** Values of one column by row number, without an object per row. Rows are set in any order; a row that was never set is null. */
export interface ColumnStore {
  /** Estimated memory, not counting strings: `set` returns those. */
  readonly bytes: number;
  /** @returns change in the memory of strings, in bytes; negative if it shrank */
  set(row: number, value: FieldValue): number;
  get(row: number): FieldValue;
}

const FIRST_ROWS = 1024;

export function createColumn(type: FieldType): ColumnStore {
  switch (type) {
    case 'string':
      return new Texts();
    case 'bool':
      return new Truths();
    case 'int64':
    case 'float64':
      return new Numbers();
  }
}

/** Numbers are finite, so NaN is free to stand for null. */
class Numbers implements ColumnStore {
  #values = new Float64Array(FIRST_ROWS).fill(Number.NaN);

  get bytes(): number {
    return this.#values.byteLength;
  }

  set(row: number, value: FieldValue): number {
    if (row >= this.#values.length) {
      const grown = new Float64Array(2 * this.#values.length).fill(Number.NaN);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[row] = value === null ? Number.NaN : Number(value);
    return 0;
  }

  get(row: number): FieldValue {
    const value = this.#values[row] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  }
}

/** 0 for null, 1 for false, 2 for true. */
class Truths implements ColumnStore {
  #values = new Uint8Array(FIRST_ROWS);

  get bytes(): number {
    return this.#values.byteLength;
  }

  set(row: number, value: FieldValue): number {
    if (row >= this.#values.length) {
      const grown = new Uint8Array(2 * this.#values.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[row] = value === null ? 0 : value ? 2 : 1;
    return 0;
  }

  get(row: number): FieldValue {
    const value = this.#values[row] ?? 0;
    return value === 0 ? null : value === 2;
  }
}

/** Short strings that rows share, such as countries, are kept once; this is the most distinct ones per column. */
const MOST_SHARED = 4096;
const SHARED_LENGTH = 64;
const POINTER_BYTES = 8;

class Texts implements ColumnStore {
  readonly #values: (string | null)[] = [];
  readonly #shared = new Map<string, string>();
  #sharedBytes = 0;

  get bytes(): number {
    return POINTER_BYTES * this.#values.length + this.#sharedBytes;
  }

  set(row: number, value: FieldValue): number {
    while (this.#values.length <= row) this.#values.push(null);
    const before = this.#values[row] ?? null;
    const shared = value === null ? null : this.#share(String(value));
    this.#values[row] = shared;
    return this.#owned(shared) - this.#owned(before);
  }

  get(row: number): FieldValue {
    return this.#values[row] ?? null;
  }

  #share(text: string): string {
    const known = this.#shared.get(text);
    if (known === undefined && this.#shared.size < MOST_SHARED && text.length <= SHARED_LENGTH) {
      this.#shared.set(text, text);
      this.#sharedBytes += textBytes(text);
    }
    return known ?? text;
  }

  #owned(text: string | null): number {
    return text === null || this.#shared.has(text) ? 0 : textBytes(text);
  }
}

/** Estimated memory of a string: V8 keeps a header and one byte per Latin-1 character. */
export function textBytes(text: string): number {
  return 24 + text.length;
}
