import { columnDifferences } from '../../domain/table-differences.ts';
import { showTableName, type TableName } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { FoundView } from '../sql/view.ts';
import { literal, snowflakeType } from './dialect.ts';
import { Failure } from './failure.ts';
import { identifier, stored, tableIdentifier } from './names.ts';
import { run, type Snowflake } from './snowflake.ts';

// All names here have three parts; see `inAccount`. We check for existing objects before creating any, because a role can
// have the right to write to a table but not to create one.

/** @param name of the schema, or of a table in it */
export async function schemaExists(snowflake: Snowflake, [database = '', schema = '']: TableName): Promise<boolean> {
  const found = await run(
    snowflake,
    `SELECT SCHEMA_NAME FROM ${identifier(database)}.INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = ${literal(stored(schema))}`,
  );
  return found.length > 0;
}

/** Creates the schema if it does not exist. @param name of the schema, or of a table in it */
export async function ensureSchema(snowflake: Snowflake, name: TableName): Promise<void> {
  const [database = '', schema = ''] = name;
  const isThere = () => schemaExists(snowflake, name);
  if (await isThere()) return;
  await unlessThere(isThere, () =>
    snowflake.client.use(async (session) => {
      await session.rows(`CREATE SCHEMA IF NOT EXISTS ${tableIdentifier([database, schema])}`);
      // CREATE SCHEMA made it the session's current schema, which would be wrong for the job's SQL.
      session.retire();
    }),
  );
}

/** @param create runs a CREATE TABLE IF NOT EXISTS */
export async function createTable(snowflake: Snowflake, name: TableName, create: () => Promise<unknown>): Promise<void> {
  await unlessThere(() => tableExists(snowflake, name), create);
}

/** Runs a CREATE … IF NOT EXISTS. Ignores a failure if another process created the object at the same time. */
export async function unlessThere(isThere: () => Promise<boolean>, create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof Failure) || error.broken || !(await isThere())) throw error;
  }
}

/** Creates schema and table if they do not exist; never alters existing ones. */
export async function ensureTable(snowflake: Snowflake, { name, columns }: TableLayout): Promise<void> {
  const definitions = columns.map((column) => `${identifier(column.name)} ${snowflakeType(column)}`);
  await ensure(snowflake, name, `(${definitions.join(', ')})`);
}

/** Creates the table of the publish lock. */
export async function ensureLock(snowflake: Snowflake, name: TableName): Promise<void> {
  // Without the cast, Snowflake would create a column of one digit, too small for the lock's tokens.
  await ensure(snowflake, name, 'AS SELECT CAST(0 AS NUMBER(38,0)) AS taken');
}

async function ensure(snowflake: Snowflake, name: TableName, definition: string): Promise<void> {
  if (await tableExists(snowflake, name)) return;
  await ensureSchema(snowflake, name);
  await createTable(snowflake, name, () => run(snowflake, `CREATE TABLE IF NOT EXISTS ${tableIdentifier(name)} ${definition}`));
}

export async function tableExists(snowflake: Snowflake, name: TableName): Promise<boolean> {
  return (await typeOf(snowflake, name)) !== undefined;
}

/** `BASE TABLE`, `VIEW`, …; undefined if there is no such table. */
async function typeOf(snowflake: Snowflake, name: TableName): Promise<string | undefined> {
  const [row] = await run(snowflake, `SELECT TABLE_TYPE ${fromInformation('TABLES', name)}`);
  return row?.[0] ?? undefined;
}

/** What has a view's name; undefined if nothing has. */
export async function findView(snowflake: Snowflake, name: TableName): Promise<FoundView | undefined> {
  const [row] = await run(snowflake, `SELECT VIEW_DEFINITION ${fromInformation('VIEWS', name)}`);
  // Only the owner sees the definition.
  if (row !== undefined) return { kind: 'view', definition: row[0] ?? '' };
  return (await tableExists(snowflake, name)) ? { kind: 'table', definition: '' } : undefined;
}

/** Differences between an existing table and its layout, one sentence each; empty if it is missing or matches. */
export async function tableDifferences(snowflake: Snowflake, { name, columns }: TableLayout): Promise<string[]> {
  const shown = showTableName(name.slice(-2));
  const type = await typeOf(snowflake, name);
  if (type === undefined) return [];
  if (type.includes('VIEW')) return [`${shown} is a view, not a table`];
  const found = await run(
    snowflake,
    `SELECT COLUMN_NAME, DATA_TYPE, CAST(NUMERIC_PRECISION AS VARCHAR), CAST(NUMERIC_SCALE AS VARCHAR)
     ${fromInformation('COLUMNS', name)} ORDER BY ORDINAL_POSITION`,
  );
  const wanted = columns.map((column) => ({ name: column.name, type: snowflakeType(column) }));
  const there = found.map(([column, type, ...digits]) => ({ name: String(column), type: shownType(String(type), digits) }));
  return columnDifferences(shown, there, wanted);
}

function shownType(type: string, digits: readonly (string | null)[]): string {
  if (type === 'TEXT') return 'VARCHAR';
  return type === 'NUMBER' ? `NUMBER(${digits.join(',')})` : type;
}

function fromInformation(view: 'TABLES' | 'COLUMNS' | 'VIEWS', [database = '', schema = '', table = '']: TableName): string {
  return `FROM ${identifier(database)}.INFORMATION_SCHEMA.${view}
    WHERE TABLE_SCHEMA = ${literal(stored(schema))} AND TABLE_NAME = ${literal(stored(table))}`;
}
