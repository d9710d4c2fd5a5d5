import { columnDifferences } from '../../domain/table-differences.ts';
import { showTableName } from '../../domain/table-name.ts';
import type { TableColumn, TableLayout } from '../../domain/tables.ts';
import type { Connection } from './connection.ts';
import { fullName, partsOf } from './names.ts';
import { createTable, getTable } from './rest-tables.ts';
import { canonical, columnField, type Field, nativeType } from './types.ts';

/** The layout with all parts of its name, as the dialect takes it. */
export function inProject<T extends TableLayout>({ home }: Connection, layout: T): T {
  return { ...layout, name: partsOf(fullName(layout.name, home)) };
}

/** As many columns as BigQuery clusters by, and the types that it can: no floating point. */
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
 * Creates dataset and table where they are missing; never alters one that is there. Partitioned by day of the window, so that
 * replacing a window reads and writes its partition only.
 *
 * @param key names of the columns to cluster by
 */
export async function createLayout(connection: Connection, layout: TableLayout, key: readonly string[]): Promise<void> {
  const clustered = layout.columns
    .filter(({ name, type }) => key.includes(name) && CLUSTERED.has(type))
    .map(({ name }) => name);
  await createTable(connection, fullName(layout.name, connection.home), {
    schema: { fields: layout.columns.map(columnField) },
    timePartitioning: { type: 'DAY', field: 'window_start' },
    ...(clustered.length > 0 && { clustering: { fields: clustered.slice(0, MAX_CLUSTERED) } }),
  });
}

export async function layoutExists(connection: Connection, layout: TableLayout): Promise<boolean> {
  return (await getTable(connection, fullName(layout.name, connection.home))) !== undefined;
}

/** What distinguishes a table that is there from its layout, one sentence each; none where it is missing or the same. */
export async function tableDifferences(connection: Connection, { name, columns }: TableLayout): Promise<string[]> {
  const table = await getTable(connection, fullName(name, connection.home));
  const found = table?.schema?.fields ?? [];
  if (table === undefined) return [];
  const shown = showTableName(name);
  if (table.type !== undefined && table.type !== 'TABLE') {
    return [`${shown} is a ${table.type.toLowerCase().replaceAll('_', ' ')}, which cannot be written`];
  }
  const asShown = (field: Field) => ({ name: field.name, type: nativeType(field), field });
  const wanted = columns.map((column) => asShown(columnField(column)));
  return columnDifferences(shown, found.map(asShown), wanted, (a, b) => holds(a.field, b.field));
}

/** Whether values of `wanted` go into the column as they are: the same type, or a decimal that is not limited. */
function holds(actual: Field, wanted: Field): boolean {
  if (actual.mode === 'REPEATED') return false;
  if (nativeType(actual) === nativeType(wanted)) return true;
  return canonical(actual.type) === canonical(wanted.type) && actual.precision === undefined;
}
