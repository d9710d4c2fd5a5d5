import { type ColumnBatch, type ColumnValues, emptyCells } from '../domain/column-batch.ts';
import type { Feature, InputDtype } from '../domain/signature.ts';
import type { StoredValue } from './feature-lookup.ts';
import { isLongerThan } from './text-limit.ts';

/** The columns of a request, filled cell by cell. */
export interface Cells {
  /**
   * @param value from `JSON.parse`; null and cells never written are nulls
   * @returns what the value must be, if it is wrong: `must be a number`
   */
  write(feature: number, row: number, value: unknown): string | undefined;
  /** @param value of the feature's own type, from a lookup */
  put(feature: number, row: number, value: StoredValue): void;
  batch(): ColumnBatch;
}

interface CellOptions {
  readonly features: readonly { readonly feature: Feature; readonly dtype: InputDtype }[];
  readonly rows: number;
  /** Most characters of a string. */
  readonly text: number;
}

/** An unpaired surrogate: UTF-8 cannot encode it, so a model would see another string. */
const UNPAIRED = /\p{Surrogate}/u;

/** Empty columns, one per feature: float64 for floats, otherwise of the feature's own type. No object per row. */
export function createCells({ features, rows, text }: CellOptions): Cells {
  const columns = features.map(({ dtype }) => emptyCells(dtype, rows));
  // The validity bits of all columns, one column after another.
  const stride = Math.ceil(rows / 8);
  const bits = new Uint8Array(stride * features.length);
  const present = new Int32Array(features.length);
  /** Per feature, the rows whose values were looked up: a store returns a float32 1.1 as 1.10000002. */
  const widened = new Map<number, Uint8Array>();

  function refuse(feature: number, what: string): string {
    return `must be ${what}${features[feature]?.feature.nullable ? ' or null' : ''}`;
  }

  function mark(feature: number, row: number): void {
    const at = feature * stride + (row >> 3);
    bits[at] = (bits[at] as number) | (1 << (row & 7));
    present[feature] = (present[feature] as number) + 1;
  }

  return {
    write(feature, row, value) {
      if (value === null) return undefined;
      const column = columns[feature];
      if (column instanceof Float64Array) {
        if (typeof value !== 'number') return refuse(feature, 'a number');
        column[row] = value;
      } else if (column instanceof BigInt64Array) {
        if (typeof value !== 'number' || !Number.isInteger(value)) return refuse(feature, 'a whole number');
        // JSON.parse rounds larger ones.
        if (!Number.isSafeInteger(value)) return 'must be a whole number from -9007199254740991 to 9007199254740991';
        column[row] = BigInt(value);
      } else if (column instanceof Uint8Array) {
        if (typeof value !== 'boolean') return refuse(feature, 'true or false');
        column[row] = value ? 1 : 0;
      } else {
        if (typeof value !== 'string') return refuse(feature, 'a string');
        if (isLongerThan(value, text)) return `must be a string of at most ${text} characters`;
        if (UNPAIRED.test(value)) return 'must be a string without unpaired surrogates';
        (column as string[])[row] = value;
      }
      mark(feature, row);
      return undefined;
    },
    put(feature, row, value) {
      if (value === null) return;
      const column = columns[feature];
      if (column instanceof Float64Array) {
        const marked = widened.get(feature) ?? new Uint8Array(stride);
        widened.set(feature, marked);
        marked[row >> 3] = (marked[row >> 3] as number) | (1 << (row & 7));
      }
      if (column instanceof Uint8Array) column[row] = value ? 1 : 0;
      else (column as StoredValue[])[row] = value;
      mark(feature, row);
    },
    batch() {
      const read = columns.map((values, i): ColumnValues => {
        if (Array.isArray(values)) return { kind: 'string', values, valid: undefined };
        const valid = present[i] === rows ? undefined : bits.subarray(i * stride, (i + 1) * stride);
        if (values instanceof Float64Array) {
          const marked = widened.get(i);
          return { kind: 'float64', values, valid, ...(marked !== undefined && { widened: marked }) };
        }
        if (values instanceof BigInt64Array) return { kind: 'int64', values, valid };
        return { kind: 'bool', values, valid };
      });
      return { rows, columns: read };
    },
  };
}
