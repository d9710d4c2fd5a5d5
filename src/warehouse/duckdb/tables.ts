import { columnDifferences } from '../../domain/table-differences.ts';
import { showTableName, type TableName } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Database } from '../../duckdb/database.ts';
import { identifier, tableIdentifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import { ScoreBatchError } from '../../errors.ts';

/**
 * The layout with the table's full name. Shorter names are ambiguous if a file `marketing.duckdb` has a schema `marketing`.
 *
 * @throws ScoreBatchError `configuration` if the name belongs to another database
 */
export function inCatalog<T extends TableLayout>({ catalog }: Database, layout: T): T {
  const [table = '', schema = 'main', other = catalog] = [...layout.name].reverse();
  if (other.toLowerCase() !== catalog.toLowerCase()) {
    throw new ScoreBatchError('configuration', `the table ${showTableName(layout.name)} is not in the DuckDB file ${catalog}`, {
      hint: 'write schema.table: the file is the one that sink.warehouse names',
    });
  }
  return { ...layout, name: [catalog, schema, table] };
}

/** Creates schema and table if they do not exist; never alters existing ones. */
export async function createTable(database: Database, { name, columns }: TableLayout): Promise<void> {
  await database.run(`CREATE SCHEMA IF NOT EXISTS ${tableIdentifier(name.slice(0, -1))}`);
  const definitions = columns.map((column) => `${identifier(column.name)} ${duckdbType(column)}`);
  await database.run(`CREATE TABLE IF NOT EXISTS ${tableIdentifier(name)} (${definitions.join(', ')})`);
}

export async function tableExists(database: Database, name: TableName): Promise<boolean> {
  return (await columnsOf(database, name)).length > 0;
}

/** Differences between an existing table and its layout, one sentence each; empty if it is missing or matches. */
export async function tableDifferences(database: Database, { name, columns }: TableLayout): Promise<string[]> {
  const found = await columnsOf(database, name);
  if (found.length === 0) return [];
  if (await isView(database, name)) return [`${showTableName(name.slice(-2))} is a view, not a table`];
  const shown = showTableName(name.slice(-2));
  const wanted = columns.map((column) => ({ name: column.name, type: duckdbType(column) }));
  return columnDifferences(shown, found, wanted);
}

async function isView(database: Database, name: TableName): Promise<boolean> {
  const [view, schema = 'main'] = [...name].reverse();
  const rows = await database.rows(
    `SELECT 1 FROM duckdb_views()
     WHERE lower(schema_name) = lower($schema) AND lower(view_name) = lower($view) AND database_name = current_database()`,
    { schema, view: view ?? '' },
  );
  return rows.length > 0;
}

async function columnsOf(database: Database, name: TableName): Promise<{ name: string; type: string }[]> {
  const [table, schema = 'main'] = [...name].reverse();
  const rows = await database.rows(
    `SELECT column_name, data_type FROM duckdb_columns()
     WHERE lower(schema_name) = lower($schema) AND lower(table_name) = lower($table) AND database_name = current_database()
     ORDER BY column_index`,
    { schema, table: table ?? '' },
  );
  return rows.map(([column, type]) => ({ name: String(column), type: String(type) }));
}
