import type { Column } from '../../domain/schema.ts';
import { isStagedAsText, stagedKey } from '../../domain/staged-columns.ts';
import type { TableColumn } from '../../domain/tables.ts';
import type { Dialect } from './dialect.ts';

/**
 * What equal scores are ordered by, ascending: the key in the order of its type, composite ones part by part. Numbers go by value, false
 * before true, days and times by the calendar, text and UUIDs by their UTF-8 bytes, whatever collation a column or a session has. It is the
 * same in every warehouse, so that one window has the same ranks wherever it is published. A published key has no nulls.
 *
 * @param key the key's columns; their values are in the columns `stagedKey`
 * @param stagesText whether the rows are those of a sink that `stagesText`; what is text for that alone is cast back to its type
 * @returns expressions for ORDER BY, one for each part
 * @throws Error where a column's type can be no key; the plan refuses such a job
 */
export function keyOrder(dialect: Dialect, key: readonly Column[], stagesText: boolean): string[] {
  return key.map((column, i) => {
    const value = stagedKey(i);
    switch (column.type) {
      case 'string':
        return dialect.bytes(value);
      case 'uuid':
        // DuckDB orders UUIDs as the bytes of their text.
        return stagesText ? dialect.bytes(value) : value;
      case 'float':
      case 'other':
        throw new Error(`the key column ${column.name} is ${column.native}, which has no order that all warehouses share`);
      default:
        return stagesText && isStagedAsText(column) ? `CAST(${value} AS ${dialect.type(column as TableColumn)})` : value;
    }
  });
}
