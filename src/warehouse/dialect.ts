import type { Column } from '../domain/schema.ts';
import type { TableName } from '../domain/table-name.ts';
import type { TableColumn } from '../domain/tables.ts';

/** A warehouse's SQL for operations that all warehouses support. */
export interface Dialect {
  /** A quoted column name; any string is allowed. */
  identifier(name: string): string;
  table(name: TableName): string;
  literal(text: string): string;
  /** The type that holds values of the column from any warehouse without loss. */
  type(column: Pick<TableColumn, 'type' | 'digits'>): string;
  /** Integer quotient of two non-negative integers, exact up to 2^53. */
  quotient(dividend: string, divisor: string): string;
  /**
   * The canonical text of a value, the same in every warehouse: decimals without trailing zeros, times in UTC with six
   * digits of the second (`2026-11-18 09:00:00.000000`).
   */
  text(expression: string, column: Pick<Column, 'type' | 'digits'>): string;
  /** An ORDER BY expression that sorts by the string's UTF-8 bytes, whatever its collation. */
  bytes(text: string): string;
  /** Expression for the session's user; undefined if the warehouse has no users. */
  readonly user: string | undefined;
  /** The first 60 bits of a string's MD5 as an integer. */
  hash(text: string): string;
}
