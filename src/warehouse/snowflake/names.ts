import { createHash } from 'node:crypto';
import type { TableName } from '../../domain/table-name.ts';

/** Names that need no quotes in Snowflake; it converts them to upper case. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_$]*$/;

/** The name as Snowflake stores it. Plain names become upper case, so that users can write them without quotes. */
export function stored(name: string): string {
  return PLAIN.test(name) ? name.toUpperCase() : name;
}

export function identifier(name: string): string {
  return exactly(stored(name));
}

/** Quotes a name in its exact case, as returned by Snowflake. */
export function exactly(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function tableIdentifier(name: TableName): string {
  return name.map(identifier).join('.');
}

/** The full name; missing parts come from the second argument. */
export function located(name: TableName, { database, schema }: { database: string; schema: string }): TableName {
  const [table = '', inSchema = schema, inDatabase = database] = [...name].reverse();
  return [inDatabase, inSchema, table];
}

/** Encodes an id for use in a table name. Distinct run ids stay distinct, because they end in random digits. */
export function nameSuffix(id: string): string {
  if (/^[\w-]{1,100}$/.test(id)) return id.replaceAll('-', '_');
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}
