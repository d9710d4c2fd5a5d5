import type { FieldType, FieldValue } from '../event-features/definition.ts';

/** Attributes of a key and their version: SQL finds the same row by key and version. */
export interface AttributeRow {
  /**
   * From a topic: `PARTITION:OFFSET`; from a table: the value of its version column, or `load INSTANT` if rows are overwritten.
   */
  readonly version: string;
  /** In the order of `Attributes.columns`. */
  readonly values: readonly FieldValue[];
}

/** Static attributes of keys, held in memory and refreshed without a pause. */
export interface Attributes {
  readonly columns: readonly { readonly name: string; readonly type: FieldType }[];
  find(key: string): AttributeRow | undefined;
  readonly rows: number;
  readonly bytes: number;
  /** Epoch milliseconds of the newest state that was read. */
  readonly loadedAt: number;
  close(): Promise<void>;
}
