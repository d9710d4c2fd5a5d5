import type { ColumnValues, ReadKind } from '../domain/column-batch.ts';
import type { Column } from '../domain/schema.ts';
import type { AppendedColumn } from './append-columns.ts';
import { decimalsToDoubles, decimalsToIntegers } from './cast-decimal.ts';
import { textValues } from './cast-text.ts';

type FixedColumn = Extract<AppendedColumn, { kind: 'fixed' }>;

/** Converts some rows of a column. The result is a view of the column, or an array that the next call overwrites. */
export type ColumnCast = (column: AppendedColumn, start: number, count: number) => ColumnValues;

/** Converts `count` rows from `start` on, without their validity. */
type FixedCast = (column: FixedColumn, start: number, count: number) => Exclude<ColumnValues['values'], readonly unknown[]>;

/**
 * Makes a function that converts a column like DuckDB's CAST, to the same bits, but without DuckDB.
 *
 * @param rows maximum rows per call; `start` must be a multiple of eight
 * @throws TypeError for a cast that no model input needs
 */
export function columnCast(column: Pick<Column, 'name' | 'type' | 'digits'>, kind: ReadKind, rows: number): ColumnCast {
  if (column.type === 'string' && kind === 'string') {
    return (appended, start, count) => ({ kind, values: textValues(appended, start, count), valid: undefined });
  }
  const cast = fixedCast(column, kind, rows);
  return (appended, start, count) => {
    if (appended.kind !== 'fixed') throw new TypeError(`the column ${column.name} is text`);
    // A multiple of eight starts at a byte boundary.
    const valid = appended.valid?.subarray(start >> 3);
    return { kind, values: cast(appended, start, count), valid } as ColumnValues;
  };
}

function fixedCast({ name, type, digits }: Pick<Column, 'name' | 'type' | 'digits'>, kind: ReadKind, rows: number): FixedCast {
  const [, scale] = digits ?? [38, 9];
  switch (`${type} ${kind}`) {
    case 'float float64':
      return ({ bytes }, start, count) => new Float64Array(bytes.buffer, bytes.byteOffset + start * 8, count);
    case 'integer int64':
      return ({ bytes }, start, count) => new BigInt64Array(bytes.buffer, bytes.byteOffset + start * 8, count);
    case 'bool bool':
      return ({ bytes }, start, count) => bytes.subarray(start, start + count);
    case 'integer float64': {
      const doubles = new Float64Array(rows);
      return ({ bytes }, start, count) => {
        const words = new Int32Array(bytes.buffer, bytes.byteOffset + start * 8, count * 2);
        // Both halves are exact, so the sum rounds once, like a cast.
        for (let row = 0, at = 0; row < count; row += 1, at += 2) {
          doubles[row] = (words[at + 1] as number) * 2 ** 32 + ((words[at] as number) >>> 0);
        }
        return doubles;
      };
    }
    case 'bool float64': {
      const doubles = new Float64Array(rows);
      return ({ bytes }, start, count) => {
        doubles.set(bytes.subarray(start, start + count));
        return doubles;
      };
    }
    case 'bool int64': {
      const integers = new BigInt64Array(rows);
      return ({ bytes }, start, count) => {
        for (let row = 0; row < count; row += 1) integers[row] = bytes[start + row] === 0 ? 0n : 1n;
        return integers;
      };
    }
    case 'decimal float64': {
      const doubles = new Float64Array(rows);
      return ({ bytes, width }, start, count) => {
        decimalsToDoubles(bytes.subarray(start * width, (start + count) * width), width, scale, doubles);
        return doubles;
      };
    }
    case 'decimal int64': {
      if (scale !== 0) break;
      const integers = new BigInt64Array(rows);
      return ({ bytes, width, valid }, start, count) => {
        const bits = valid?.subarray(start >> 3);
        decimalsToIntegers(bytes.subarray(start * width, (start + count) * width), width, bits, integers);
        return integers;
      };
    }
  }
  throw new TypeError(`the column ${name} is ${type} and cannot be read as ${kind}`);
}
