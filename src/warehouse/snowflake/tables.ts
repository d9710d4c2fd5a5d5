import { columnDifferences } from '../../domain/table-differences.ts';
import { showTableName, type TableName } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { literal, snowflakeType } from './dialect.ts';
import { Failure } from './failure.ts';
import { identifier, stored, tableIdentifier } from './names.ts';
import { run, type Snowflake } from './snowflake.ts';

// All names here have their three parts; see `inAccount`. What is there is asked before anything is created: a role may write
// to a table without the right to create one.

/** @param name its table's name, or its own */
export async function schemaExists(snowflake: Snowflake, [database = '', schema = '']: TableName): Promise<boolean> {
  const found = await run(
    snowflake,
    `SELECT SCHEMA_NAME FROM ${identifier(database)}.INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = ${literal(stored(schema))}`,
  );
  return found.length > 0;
}

/** Creates the schema where it is missing. @param name its table's name, or its own */
export async function ensureSchema(snowflake: Snowflake, name: TableName): Promise<void> {
  const [database = '', schema = ''] = name;
  const isThere = () => schemaExists(snowflake, name);
  if (await isThere()) return;
  await unlessThere(isThere, () =>
    snowflake.client.use(async (session) => {
      await session.rows(`CREATE SCHEMA IF NOT EXISTS ${tableIdentifier([database, schema])}`);
      // It is the session's current schema now, in which the job's own SQL would look for its tables.
      session.retire();
    }),
  );
}

/** @param create runs a CREATE TABLE IF NOT EXISTS */
export async function createTable(snowflake: Snowflake, name: TableName, create: () => Promise<unknown>): Promise<void> {
  await unlessThere(() => tableExists(snowflake, name), create);
}

/** Runs a CREATE … IF NOT EXISTS. Who fails because somebody else made it in the same moment has what it wants. */
export async function unlessThere(isThere: () => Promise<boolean>, create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof Failure) || error.broken || !(await isThere())) throw error;
  }
}

/** Creates schema and table where they are missing; never alters one that is there. */
export async function ensureTable(snowflake: Snowflake, { name, columns }: TableLayout): Promise<void> {
  const definitions = columns.map((column) => `${identifier(column.name)} ${snowflakeType(column)}`);
  await ensure(snowflake, name, `(${definitions.join(', ')})`);
}

/** Creates the one-row table that publishers of a job go through one after the other. */
export async function ensureLock(snowflake: Snowflake, name: TableName): Promise<void> {
  // Cast: of a bare 0 Snowflake would make a column of one digit, which the tenth publisher could not count on.
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

/** `BASE TABLE`, `VIEW`, …; undefined where there is nothing of that name. */
async function typeOf(snowflake: Snowflake, name: TableName): Promise<string | undefined> {
  const [row] = await run(snowflake, `SELECT TABLE_TYPE ${fromInformation('TABLES', name)}`);
  return row?.[0] ?? undefined;
}

/** What distinguishes a table that is there from its layout, one sentence each; none where it is missing or the same. */
export async function tableDifferences(snowflake: Snowflake, { name, columns }: TableLayout): Promise<string[]> {
  const shown = showTableName(name.slice(-2));
  const type = await typeOf(snowflake, name);
  if (type === undefined) return [];
  if (type.includes('VIEW')) return [`${shown} is a view, which cannot be written`];
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

function fromInformation(view: 'TABLES' | 'COLUMNS', [database = '', schema = '', table = '']: TableName): string {
  return `FROM ${identifier(database)}.INFORMATION_SCHEMA.${view}
    WHERE TABLE_SCHEMA = ${literal(stored(schema))} AND TABLE_NAME = ${literal(stored(table))}`;
}
