import type { TableName } from '../../domain/table-name.ts';
import type { Database } from '../../duckdb/database.ts';
import { tableIdentifier } from '../../duckdb/sql.ts';
import { type FoundView, makeView } from '../sql/view.ts';
import type { ViewSpec } from '../view-spec.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { inCatalog, tableExists } from './tables.ts';

export async function view(file: DuckdbFile, spec: ViewSpec): Promise<'created' | 'replaced' | 'unchanged'> {
  return await withFile(file, 'write', (database) => {
    const full = (name: TableName) => inCatalog(database, { name, columns: [] }).name;
    const maker = {
      dialect: DUCKDB,
      find: (name: TableName) => find(database, name),
      table: (name: TableName) => tableIdentifier(shortened(full(name))),
      async create(name: TableName, select: string, replace: boolean) {
        await database.run(`CREATE SCHEMA IF NOT EXISTS ${tableIdentifier(name.slice(0, -1))}`);
        await database.run(`CREATE ${replace ? 'OR REPLACE ' : ''}VIEW ${tableIdentifier(name)} AS ${select}`);
      },
    };
    return makeView(maker, { ...spec, name: full(spec.name) });
  });
}

/**
 * Omits the file's name, because people rename and copy it; keeps it if a schema has the same name, which DuckDB could not
 * distinguish.
 */
function shortened([catalog = '', schema = '', table = '']: TableName): TableName {
  return catalog.toLowerCase() === schema.toLowerCase() ? [catalog, schema, table] : [schema, table];
}

async function find(database: Database, name: TableName): Promise<FoundView | undefined> {
  const [, schema = '', view = ''] = name;
  const [row] = await database.rows(
    `SELECT sql FROM duckdb_views()
     WHERE lower(schema_name) = lower($schema) AND lower(view_name) = lower($view) AND database_name = current_database()`,
    { schema, view },
  );
  if (row !== undefined) return { kind: 'view', definition: String(row[0]) };
  return (await tableExists(database, name)) ? { kind: 'table', definition: '' } : undefined;
}
