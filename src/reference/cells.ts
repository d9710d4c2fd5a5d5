import { type ColumnBatch, isValid } from '../domain/column-batch.ts';

/** A value of the source. For a float32, the shortest decimal number that rounds to it. */
export type Cell = number | bigint | string | boolean | null;

/** The cell of a batch at a row and column. */
export function cellOf({ columns }: ColumnBatch, column: number, row: number): Cell {
  const values = columns[column];
  if (values === undefined) throw new RangeError(`the batch lacks column ${column}`);
  if (values.kind === 'string') return values.values[row] ?? null;
  if (!isValid(values.valid, row)) return null;
  const value = values.values[row] ?? null;
  if (values.kind === 'bool') return value === 1;
  return values.kind === 'float32' && typeof value === 'number' ? shortFloat32(value) : value;
}

/** A float32 column stores 1.1 as 1.10000002384185791, which would be outside a range that ends at 1.1. */
function shortFloat32(value: number): number {
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** A cell of golden.csv: empty for a null, quotes for an empty string. */
export function csvCell(cell: Cell): string {
  if (cell === null || Number.isNaN(cell)) return '';
  if (typeof cell !== 'string') return Object.is(cell, -0) ? '-0' : String(cell);
  return cell === '' || /[",\r\n]|^\s|\s$/.test(cell) ? csvName(cell) : cell;
}

/** A quoted string. */
export function csvName(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
