import type { Person, PersonTable, Place } from '../../domain/erasure.ts';
import { findColumn, type Schema } from '../../domain/schema.ts';
import { namesJob, type TableColumn } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import { instant } from './dialect.ts';

/** Condition: the row is of the person. */
export function isPerson(dialect: Dialect, { key, values }: Person): string {
  return key
    .map((column, i) => `${dialect.text(dialect.identifier(column.name), column)} = ${dialect.literal(values[i] ?? '')}`)
    .join(' AND ');
}

/** Number of a person's rows, as text. @param relation FROM clause with the key's columns */
export function countPerson(dialect: Dialect, relation: string, person: Person): string {
  return `SELECT CAST(COUNT(*) AS ${dialect.type({ type: 'string' })}) FROM ${relation} WHERE ${isPerson(dialect, person)}`;
}

/** Condition, ending in AND: the row belongs to the table's job. A slim table only has rows of one job. */
export function ofJob(dialect: Dialect, { layout, replaced, job }: Omit<PersonTable, 'part'>): string {
  if (replaced) return `replaced_job = ${dialect.literal(job)} AND `;
  return namesJob(layout) ? `job = ${dialect.literal(job)} AND ` : '';
}

/** Condition: the row belongs to the same publication as another one, in the same table. */
export function inPlace(
  dialect: Dialect,
  { replaced }: Pick<PersonTable, 'replaced'>,
  { windowStart, windowEnd, runId, publication }: Place,
): string {
  const prefix = replaced ? 'replaced_' : '';
  return [
    `${prefix}window_start = ${instant(dialect, windowStart)}`,
    ...(windowEnd === undefined ? [] : [`${prefix}window_end = ${instant(dialect, windowEnd)}`]),
    ...(runId === undefined ? [] : [`${prefix}run_id = ${dialect.literal(runId)}`]),
    ...(publication === undefined ? [] : [`${prefix}publication = ${publication}`]),
  ].join(' AND ');
}

/** The key's columns as named in a frozen table. */
export function keyIn(columns: Schema, key: readonly string[]): TableColumn[] {
  return key.map((name) => {
    const column = findColumn(columns, name);
    if (column === undefined || column.type === 'other') throw new Error(`no column ${name} among the frozen ones`);
    return { ...column, type: column.type };
  });
}
