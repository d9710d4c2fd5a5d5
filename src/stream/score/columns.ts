import { type CellValues, type ColumnBatch, type ColumnValues, emptyCells, type ReadKind } from '../../domain/column-batch.ts';
import type { FeatureValue } from '../event.ts';
import type { ScorableEvent } from '../scorer.ts';
import type { Source } from './sources.ts';

/** Makes columns from events, as a table reader would. They are valid until the next call. */
export type ToColumns = (events: readonly ScorableEvent[]) => ColumnBatch;

/**
 * @param kinds see `Encoder.kinds`
 */
export function createColumns(sources: readonly Source[], kinds: readonly ReadKind[]): ToColumns {
  let capacity = 0;
  let columns: CellValues[] = [];
  let bits: Uint8Array[] = [];

  function grow(rows: number): void {
    capacity = Math.max(rows, 2 * capacity, 64);
    columns = kinds.map((kind) => emptyCells(kind, capacity));
    bits = kinds.map(() => new Uint8Array(Math.ceil(capacity / 8)));
  }

  return (events) => {
    const rows = events.length;
    if (rows > capacity) grow(rows);
    return {
      rows,
      columns: sources.map((source, i) => fill(columns[i] as CellValues, bits[i] as Uint8Array, events, source)),
    };
  };
}

function fill(values: CellValues, valid: Uint8Array, events: readonly ScorableEvent[], source: Source): ColumnValues {
  const rows = events.length;
  if (Array.isArray(values)) {
    for (let row = 0; row < rows; row += 1) values[row] = cell(events[row] as ScorableEvent, source) as string | null;
    return { kind: 'string', values: values.slice(0, rows), valid: undefined };
  }
  let nulls = 0;
  valid.fill(0);
  for (let row = 0; row < rows; row += 1) {
    const value = cell(events[row] as ScorableEvent, source);
    if (value === null) {
      nulls += 1;
      values[row] = values instanceof BigInt64Array ? 0n : 0;
      continue;
    }
    valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
    // Round sums beyond 2^53 as a warehouse's cast does.
    if (values instanceof BigInt64Array) values[row] = BigInt(value);
    else values[row] = Number(value);
  }
  const some = nulls === 0 ? undefined : valid;
  if (values instanceof Float64Array) return { kind: 'float64', values: values.subarray(0, rows), valid: some };
  if (values instanceof BigInt64Array) return { kind: 'int64', values: values.subarray(0, rows), valid: some };
  return { kind: 'bool', values: values.subarray(0, rows), valid: some };
}

/** A key without attributes has nulls, which the bundle's rules handle. */
function cell({ due, attributes }: ScorableEvent, { from, at }: Source): FeatureValue {
  if (from === 'window') return due.features?.[at] ?? null;
  return (from === 'field' ? due.event.values[at] : attributes?.values[at]) ?? null;
}
