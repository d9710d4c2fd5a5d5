import type { Person } from '../../domain/erasure.ts';
import type { FrozenTable } from '../../domain/frozen-table.ts';
import { type Column, findColumn } from '../../domain/schema.ts';
import type { Dialect } from '../dialect.ts';
import { countBuckets } from './frozen.ts';
import { isPerson, keyIn } from './person.ts';

/** The person in a frozen table, the key's columns, and a query that counts the buckets without the person. */
export function countFrozenLeft(
  dialect: Dialect,
  table: string,
  { columns, kept }: FrozenTable,
  { values }: Pick<Person, 'values'>,
): { readonly key: readonly Column[]; readonly person: Person; readonly sql: string } {
  const names = kept?.key ?? [];
  const key = names.flatMap((name) => findColumn(columns, name) ?? []);
  const person = { key: keyIn(columns, names), values };
  const others = `(SELECT * FROM ${table} WHERE NOT COALESCE(${isPerson(dialect, person)}, FALSE)) others`;
  return { key, person, sql: countBuckets(dialect, others, key, columns) };
}

/** Ends in a condition. @param table quoted name */
export function deletePerson(dialect: Dialect, table: string, person: Person): string {
  return `DELETE FROM ${table} WHERE ${isPerson(dialect, person)}`;
}
