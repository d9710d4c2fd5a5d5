import { columnDifferences } from '../../domain/table-differences.ts';
import { showTableName } from '../../domain/table-name.ts';
import type { TableColumn, TableLayout } from '../../domain/tables.ts';
import type { Connection } from './connection.ts';
import { fullName, partsOf } from './names.ts';
import { createTable, getTable } from './rest-tables.ts';
import { canonical, columnField, type Field, nativeType } from './types.ts';

/** The layout with the table's full name. */
export function inProject<T extends TableLayout>({ home }: Connection, layout: T): T {
  return { ...layout, name: partsOf(fullName(layout.name, home)) };
}

/** BigQuery clusters by at most four columns, and not by floating point. */
const MAX_CLUSTERED = 4;
const CLUSTERED: ReadonlySet<TableColumn['type']> = new Set([
  'integer',
  'decimal',
  'bool',
  'string',
  'uuid',
  'date',
  'datetime',
  'timestamp',
]);

/**
 * Columns by whose day a table is partitioned, so that replacing a window, or the copy for a boundary, reads and writes only
 * its partition.
 */
const PARTITIONED: readonly string[] = ['window_start', 'boundary'];

/**
 * Creates dataset and table if they do not exist; never alters existing ones. Only the current table is not partitioned.
 *
 * @param key names of columns to cluster by
 */
export async function createLayout(connection: Connection, layout: TableLayout, key: readonly string[]): Promise<void> {
  const clustered = layout.columns
    .filter(({ name, type }) => key.includes(name) && CLUSTERED.has(type))
    .map(({ name }) => name);
  const partitioned = PARTITIONED.find((field) => layout.columns.some(({ name }) => name === field));
  await createTable(connection, fullName(layout.name, connection.home), {
    schema: { fields: layout.columns.map(columnField) },
    ...(partitioned && { timePartitioning: { type: 'DAY', field: partitioned } }),
    ...(clustered.length > 0 && { clustering: { fields: clustered.slice(0, MAX_CLUSTERED) } }),
  });
}

export async function layoutExists(connection: Connection, layout: TableLayout): Promise<boolean> {
  return (await getTable(connection, fullName(layout.name, connection.home))) !== undefined;
}

/** Differences between an existing table and its layout, one sentence each; empty if it is missing or matches. */
export async function tableDifferences(connection: Connection, { name, columns }: TableLayout): Promise<string[]> {
  const table = await getTable(connection, fullName(name, connection.home));
  const found = table?.schema?.fields ?? [];
  if (table === undefined) return [];
  const shown = showTableName(name);
  if (table.type !== undefined && table.type !== 'TABLE') {
    return [`${shown} is a ${table.type.toLowerCase().replaceAll('_', ' ')}, not a table`];
  }
  const asShown = (field: Field) => ({ name: field.name, type: nativeType(field), field });
  const wanted = columns.map((column) => asShown(columnField(column)));
  return columnDifferences(shown, found.map(asShown), wanted, (a, b) => holds(a.field, b.field));
}

/** Whether the column can hold values of `wanted` unchanged: the same type, or a decimal without precision. */
function holds(actual: Field, wanted: Field): boolean {
  if (actual.mode === 'REPEATED') return false;
  if (nativeType(actual) === nativeType(wanted)) return true;
  return canonical(actual.type) === canonical(wanted.type) && actual.precision === undefined;
}
