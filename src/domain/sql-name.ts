import type { TableName } from './table-name.ts';
import type { WarehouseKind } from './warehouse-kind.ts';

/** Words that at least one warehouse does not accept as an unquoted name. */
const RESERVED = new Set(
  `all analyse analyze and any array as asc assert asymmetric at between both by case cast check collate column connect constraint
  contains create cross cube current current_date current_time current_timestamp current_user database default deferrable define
  delete desc describe distinct drop else end enum escape except exclude exists extract false fetch following for foreign from full
  grant group grouping groups hash having if ignore ilike in increment initially inner insert intersect interval into is issue
  join lambda lateral leading left like limit localtime localtimestamp lookup merge minus natural new no not null nulls of offset on
  only or order organization outer over partition pivot placing preceding primary proto qualify range recursive references regexp
  respect returning revoke right rlike rollup row rows sample schema select set show similar some start summarize symmetric table
  tablesample then to trailing treat trigger true try_cast unbounded union unique unnest unpivot update using values variadic view
  when whenever where window with within`.split(/\s+/),
);

export function isReserved(name: string): boolean {
  return RESERVED.has(name.toLowerCase());
}

/** A column's name in a query of the warehouse, quoted only if necessary. */
export function sqlName(name: string, kind: WarehouseKind): string {
  // Snowflake folds unquoted names to upper case.
  const plain = kind === 'snowflake' ? /^[A-Z_][A-Z0-9_]*$/ : /^[A-Za-z_][A-Za-z0-9_]*$/;
  return plain.test(name) && !isReserved(name) ? name : quoted(name, kind);
}

/** A table's name in a query of the warehouse. Plain names stay unquoted, so that the warehouse applies its own rules for case. */
export function sqlTable(table: TableName, kind: WarehouseKind): string {
  return table
    .map((part) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(part) && !isReserved(part) ? part : quoted(part, kind)))
    .join('.');
}

function quoted(name: string, kind: WarehouseKind): string {
  if (kind === 'bigquery') return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
  return `"${name.replaceAll('"', '""')}"`;
}
