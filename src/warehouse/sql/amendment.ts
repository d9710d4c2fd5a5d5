import { namesJob, type TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { Amendment } from '../publication-spec.ts';
import type { TextRow } from '../reader.ts';
import { isWindow } from './windows.ts';

/** Rows per INSERT. Every warehouse accepts a UNION of this size, and the statement stays far below a megabyte. */
const ROWS_AT_ONCE = 50;

/**
 * Statements that replace the rows of the entry's window in a table.
 *
 * @param amendment with the full name of its table
 * @param fence condition without which no row changes
 */
export function replaceAmended(
  dialect: Dialect,
  { table, rows, entry }: Pick<Amendment, 'table' | 'rows' | 'entry'>,
  fence?: string,
): string[] {
  if (!namesJob(table)) throw new Error(`${table.name.join('.')} does not name the job of a row`);
  const own = `job = ${dialect.literal(entry.job)} AND ${isWindow(dialect, table, entry.window)}`;
  const fenced = (statement: string, word: string) => (fence === undefined ? statement : `${statement} ${word} ${fence}`);
  const inserts: string[] = [];
  for (let i = 0; i < rows.length; i += ROWS_AT_ONCE)
    inserts.push(fenced(insertTexts(dialect, table, rows.slice(i, i + ROWS_AT_ONCE)), 'WHERE'));
  return [fenced(`DELETE FROM ${dialect.table(table.name)} WHERE ${own}`, 'AND'), ...inserts];
}

/** Counts the rows of the entry's window in a table, as text. */
export function countAmended(dialect: Dialect, { table, entry }: Pick<Amendment, 'table' | 'entry'>): string {
  return `SELECT CAST(COUNT(*) AS ${dialect.type({ type: 'string' })}) FROM ${dialect.table(table.name)}
    WHERE job = ${dialect.literal(entry.job)} AND ${isWindow(dialect, table, entry.window)}`;
}

/** Inserts rows of strings, each cast to its column's type. A column with equal values is written once. */
function insertTexts(dialect: Dialect, { name, columns }: TableLayout, rows: readonly TextRow[]): string {
  const text = dialect.type({ type: 'string' });
  const literal = (value: string | null | undefined) =>
    value === null || value === undefined ? `CAST(NULL AS ${text})` : dialect.literal(value);
  const varying = columns.map((_, i) => rows.some((row) => row[i] !== rows[0]?.[i]));
  const values = columns.map((column, i) => `CAST(${varying[i] ? `c${i}` : literal(rows[0]?.[i])} AS ${dialect.type(column)})`);
  const selects = rows.map((row) => {
    const cells = columns.flatMap((_, i) => (varying[i] ? [`${literal(row[i])} AS c${i}`] : []));
    return `SELECT ${cells.length === 0 ? '1 AS one' : cells.join(', ')}`;
  });
  return `INSERT INTO ${dialect.table(name)} (${columns.map((column) => dialect.identifier(column.name)).join(', ')})
    SELECT ${values.join(', ')} FROM (${selects.join(' UNION ALL ')}) made`;
}
