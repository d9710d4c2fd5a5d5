import type { TableName } from './table-name.ts';
import type { WarehouseKind } from './warehouse-kind.ts';

/** Words that at least one warehouse does not accept as an unquoted name. */
const RESERVED = new Set(
  `all alter analyse analyze and anti any array as asc asof assert assert_rows_modified asymmetric at authorization between
  binary both by case cast check collate collation column concurrently connect constraint contains create cross cube current
  current_date current_time current_timestamp current_user database default deferrable define delete desc describe distinct
  do drop else end enum escape except exclude exists extract false fetch following for foreign freeze from full glob grant
  group grouping groups hash having if ignore ilike in increment initially inner insert intersect interval into is isnull
  issue join lambda lateral leading left like limit localtime localtimestamp lookup merge minus natural new no not notnull
  null nulls of offset on only or order organization outer over overlaps partition pivot pivot_longer pivot_wider placing
  positional preceding primary proto qualify range recursive references regexp respect returning revoke right rlike rollup
  row rows sample schema select semi set show similar some start struct summarize symmetric table tablesample then to
  trailing treat trigger true try_cast unbounded union unique unnest unpack unpivot update using values variadic verbose
  view when whenever where window with within`.split(/\s+/),
);

function isReserved(name: string): boolean {
  return RESERVED.has(name.toLowerCase());
}

/** A column's name in a query of the warehouse, quoted only if necessary. */
export function sqlName(name: string, kind: WarehouseKind): string {
  // Snowflake folds unquoted names to upper case.
  const plain = kind === 'snowflake' ? /^[A-Z_][A-Z0-9_]*$/ : /^[A-Za-z_][A-Za-z0-9_]*$/;
  return plain.test(name) && !isReserved(name) ? name : quotedName(name, kind);
}

/** A table's name in a query of the warehouse. Plain names stay unquoted, so that the warehouse applies its own rules for case. */
export function sqlTable(table: TableName, kind: WarehouseKind): string {
  return table
    .map((part) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(part) && !isReserved(part) ? part : quotedName(part, kind)))
    .join('.');
}

/** A name as it is, whatever its characters. */
export function quotedName(name: string, kind: WarehouseKind): string {
  if (kind === 'bigquery') return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
  return `"${name.replaceAll('"', '""')}"`;
}
