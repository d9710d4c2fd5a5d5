import type { FieldType, FieldValue } from '../../event-features/definition.ts';
import type { AttributeRow } from '../attributes.ts';
import { type ColumnStore, createColumn, textBytes } from './column-store.ts';
import { RowNumbers } from './row-numbers.ts';

export interface AttributeColumn {
  readonly name: string;
  readonly type: FieldType;
}

/** Versions of rows, by row number. */
export interface Versions<Version> {
  readonly bytes: number;
  /** @returns change in the memory of strings, in bytes */
  set(row: number, version: Version): number;
  get(row: number): Version;
  show(version: Version): string;
}

/** Memory of a key's map entry, without its characters. */
const ENTRY_BYTES = 80;

/** Rows by key, column by column. */
export class AttributeTable<Version> {
  readonly columns: readonly AttributeColumn[];
  readonly #versions: Versions<Version>;
  readonly #stores: readonly ColumnStore[];
  readonly #rows = new RowNumbers();
  /** Row numbers of removed keys, for reuse. */
  readonly #free: number[] = [];
  #texts = 0;

  constructor(columns: readonly AttributeColumn[], versions: Versions<Version>) {
    this.columns = columns;
    this.#versions = versions;
    this.#stores = columns.map(({ type }) => createColumn(type));
  }

  get rows(): number {
    return this.#rows.size;
  }

  get bytes(): number {
    const fixed = this.#stores.reduce((sum, { bytes }) => sum + bytes, this.#versions.bytes);
    return fixed + this.#texts + ENTRY_BYTES * this.#rows.size;
  }

  has(key: string): boolean {
    return this.#rows.get(key) !== undefined;
  }

  /** Undefined if there is no such key. */
  versionOf(key: string): Version | undefined {
    const row = this.#rows.get(key);
    return row === undefined ? undefined : this.#versions.get(row);
  }

  /** Sets or replaces the row of a key. @param values in the order of `columns` */
  set(key: string, version: Version, values: readonly FieldValue[]): void {
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.#free.pop() ?? this.#rows.size;
      this.#rows.add(key, row);
      this.#texts += textBytes(key);
    }
    this.#texts += this.#versions.set(row, version);
    for (const [at, store] of this.#stores.entries()) this.#texts += store.set(row, values[at] ?? null);
  }

  delete(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#free.push(row);
    this.#texts -= textBytes(key);
    for (const store of this.#stores) this.#texts += store.set(row, null);
  }

  find(key: string): AttributeRow | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    return {
      version: this.#versions.show(this.#versions.get(row)),
      values: this.#stores.map((store) => store.get(row)),
    };
  }
}
