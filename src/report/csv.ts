import type { ColumnBatch, ColumnValues } from '../domain/column-batch.ts';
import { isValid } from '../domain/column-batch.ts';
import type { ColumnType } from '../domain/schema.ts';

/** A cell that a spreadsheet would run instead of show (OWASP, "CSV injection"). */
const FORMULA = /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * One line of names. Every value of every warehouse goes through this file, so the same publication gives the same bytes.
 */
export function csvHeader(names: readonly string[]): string {
  return `${names.map(textCell).join(',')}\n`;
}

/**
 * A batch as lines of RFC 4180 CSV, with `\n` at line ends.
 *
 * @param types what the columns hold, in the batch's order
 */
export function csvLines({ rows, columns }: ColumnBatch, types: readonly ColumnType[]): string {
  const cells = columns.map((column, i) => renderColumn(column, types[i] ?? 'string', rows));
  let lines = '';
  for (let row = 0; row < rows; row += 1) {
    for (let i = 0; i < cells.length; i += 1) lines += `${i === 0 ? '' : ','}${cells[i]?.[row]}`;
    lines += '\n';
  }
  return lines;
}

function renderColumn(column: ColumnValues, type: ColumnType, rows: number): string[] {
  const out = new Array<string>(rows);
  const render = renderer(column, type);
  for (let row = 0; row < rows; row += 1) out[row] = isValid(column.valid, row) ? render(row) : '';
  return out;
}

function renderer(column: ColumnValues, type: ColumnType): (row: number) => string {
  switch (column.kind) {
    case 'string': {
      const { values } = column;
      // Numbers as text are numbers: a minus sign is no formula there.
      const cell = type === 'string' ? textCell : (text: string) => text;
      return (row) => {
        const value = values[row];
        return value === null || value === undefined ? '' : cell(value);
      };
    }
    case 'int64': {
      const { values } = column;
      if (type === 'timestamp') return (row) => `${isoMicroseconds(values[row] as bigint)}Z`;
      if (type === 'datetime') return (row) => isoMicroseconds(values[row] as bigint);
      return (row) => String(values[row]);
    }
    case 'bool': {
      const { values } = column;
      return (row) => (values[row] === 0 ? 'false' : 'true');
    }
    case 'float32':
    case 'float64': {
      const { values } = column;
      return (row) => String(values[row]);
    }
  }
}

/** Text is quoted where it must be; what looks like a formula gets an apostrophe in front, which spreadsheets show as text. */
function textCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Microseconds since 1970 → `2026-11-18T09:00:00` or, where there is a fraction, `2026-11-18T09:00:00.123456`. */
function isoMicroseconds(microseconds: bigint): string {
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = (microseconds - fraction) / 1_000_000n;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return fraction === 0n ? text : `${text}.${String(fraction).padStart(6, '0')}`;
}
