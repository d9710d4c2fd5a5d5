import { showTableName } from '../domain/table-name.ts';
import type { TableLayout } from '../domain/tables.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { TableReader } from '../warehouse/reader.ts';

export interface NewTable {
  readonly table: string;
  /** In the SQL of the sink. */
  readonly statement: string;
}

/** The tables that do not exist yet, in the order of the layouts. */
export async function newTables(reader: TableReader, layouts: readonly TableLayout[]): Promise<NewTable[]> {
  const found: NewTable[] = [];
  for (const layout of layouts) {
    if ((await reader.find(layout)) !== undefined) continue;
    found.push({ table: showTableName(layout.name), statement: createStatement(reader.dialect, layout) });
  }
  return found;
}

function createStatement(dialect: Dialect, { name, columns }: TableLayout): string {
  const lines = columns.map((column) => `  ${dialect.identifier(column.name)} ${dialect.type(column)}`);
  return `CREATE TABLE ${dialect.table(name)} (\n${lines.join(',\n')}\n)`;
}
