import { type Column, findColumn, type Schema } from '../../domain/schema.ts';
import { sqlName } from '../../domain/sql-name.ts';
import type { WarehouseKind } from '../../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../../errors.ts';
import { didYouMean, nearest } from '../../suggest.ts';
import type { Dialect } from '../../warehouse/dialect.ts';

/** A table of the job's `incremental.changes`, and its columns. */
export interface SourceTable {
  /** As in the job file. */
  readonly name: string;
  readonly kind: WarehouseKind;
  readonly schema: Schema;
  /** Names of the table's columns that correspond to `source.key`, in its order. */
  readonly keyNames: readonly string[];
  /** Key columns of the job's query. */
  readonly key: readonly Column[];
}

/**
 * A column by its name.
 *
 * @param key of the change source in the job file that can name another column
 * @throws ScoreBatchError `configuration`
 */
export function columnOf({ name: table, schema }: SourceTable, name: string, key: string): Column {
  const column = findColumn(schema, name);
  if (column !== undefined) return column;
  const names = schema.map((other) => other.name);
  throw new ScoreBatchError('configuration', `the change source ${table} has no column ${name}`, {
    details: [`its columns: ${names.join(', ')}`],
    hint: `name the right column with ${key}: in incremental.changes${nearest(name, names) === undefined ? '' : `; ${didYouMean(name, names)}`}`,
  });
}

/** Expression for a column, quoted if necessary. */
export function nameIn(column: Column, { kind }: Pick<SourceTable, 'kind'>): string {
  return sqlName(column.name, kind);
}

/**
 * The table's key columns, in the order of `source.key`.
 *
 * @throws ScoreBatchError `configuration` if one is missing, or its type cannot equal that of the query's key
 */
export function keyColumns(table: SourceTable): readonly Column[] {
  return table.key.map((wanted, i) => {
    const column = columnOf(table, table.keyNames[i] ?? wanted.name, 'key');
    if (comparable(column) === comparable(wanted) && column.type !== 'other') return column;
    throw new ScoreBatchError(
      'configuration',
      `${table.name}.${column.name} is ${column.native}, but the key ${wanted.name} of the query is ${wanted.native}`,
      { hint: 'cast the column in a view, and name the view in incremental.changes' },
    );
  });
}

/** Integers may have different widths. */
function comparable({ type, digits }: Column): string {
  return type === 'decimal' && digits?.[1] === 0 ? 'integer' : type;
}

/**
 * SELECT of distinct keys under the names of `source.key`.
 *
 * @param names expressions for the key's parts, in order
 * @param rest FROM clause
 * @param conditions of the rows whose keys to select
 */
export function selectKeys(
  dialect: Dialect,
  table: Pick<SourceTable, 'key'>,
  names: readonly string[],
  { from, conditions }: { readonly from: string; readonly conditions: readonly string[] },
): string {
  const list = names.map((name, i) => `${name} AS ${dialect.identifier(table.key[i]?.name ?? name)}`);
  const where = [...conditions, ...names.map((name) => `${name} IS NOT NULL`)];
  return `SELECT DISTINCT ${list.join(', ')} FROM ${from} WHERE ${where.join(' AND ')}`;
}
