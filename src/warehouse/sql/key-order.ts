import type { Column } from '../../domain/schema.ts';
import { isStagedAsText, stagedKey } from '../../domain/staged-columns.ts';
import type { TableColumn } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';

/**
 * Tie-breaker for equal scores: the key, ascending, part by part. Numbers sort by value, false before true, dates and times
 * chronologically, text and UUIDs by their UTF-8 bytes, whatever the collation of the column or session. The order is the
 * same in every warehouse, so a window gets the same ranks wherever it is published. A published key has no nulls.
 *
 * @param key the key's columns; the values are in the columns `stagedKey`
 * @param stagesText whether the sink `stagesText`; values that are text only for that reason are cast back to their type
 * @returns expressions for ORDER BY, one per part
 * @throws Error if a column's type is not allowed in a key; the plan refuses such a job
 */
export function keyOrder(dialect: Dialect, key: readonly Column[], stagesText: boolean): string[] {
  return key.map((column, i) => {
    const value = stagedKey(i);
    switch (column.type) {
      case 'string':
        return dialect.bytes(value);
      case 'uuid':
        // DuckDB orders UUIDs like the bytes of their text.
        return stagesText ? dialect.bytes(value) : value;
      case 'float':
      case 'other':
        throw new Error(`the key column ${column.name} is ${column.native}, a type that warehouses order differently`);
      default:
        return stagesText && isStagedAsText(column) ? `CAST(${value} AS ${dialect.type(column as TableColumn)})` : value;
    }
  });
}
