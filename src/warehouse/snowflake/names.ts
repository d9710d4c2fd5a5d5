import { createHash } from 'node:crypto';
import type { TableName } from '../../domain/table-name.ts';

/** Names that need no quotes in Snowflake, which makes them upper case. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_$]*$/;

/** A name as Snowflake keeps it: one that needs no quotes in upper case, so that people find it without quotes. */
export function stored(name: string): string {
  return PLAIN.test(name) ? name.toUpperCase() : name;
}

export function identifier(name: string): string {
  return exactly(stored(name));
}

/** A name as it was given by Snowflake itself, in its own case. */
export function exactly(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function tableIdentifier(name: TableName): string {
  return name.map(identifier).join('.');
}

/** The name with the database and schema that a shorter one leaves out. */
export function located(name: TableName, { database, schema }: { database: string; schema: string }): TableName {
  const [table = '', inSchema = schema, inDatabase = database] = [...name].reverse();
  return [inDatabase, inSchema, table];
}

/** An id as a part of a table's name, safe whatever it holds. Ids of runs end in random digits, so no two become the same. */
export function nameSuffix(id: string): string {
  if (/^[\w-]{1,100}$/.test(id)) return id.replaceAll('-', '_');
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}
