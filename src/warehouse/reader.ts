import type { TableLayout } from '../domain/tables.ts';
import type { Dialect } from './dialect.ts';

/** A result row with every value as text. */
export type TextRow = readonly (string | null)[];

/** Access to published tables. */
export interface TableReader {
  readonly dialect: Dialect;
  /** The layout with its full name; undefined if the table does not exist. */
  find(layout: TableLayout): Promise<TableLayout | undefined>;
  /** Rows of a query that selects only text. */
  rows(sql: string): Promise<readonly TextRow[]>;
}

/**
 * A SELECT over rows of the source that returns only text, and few rows: all of them are held in memory.
 *
 * @param relation FROM clause, without alias, of the rows under their names in the query
 */
export type SelectText = (dialect: Dialect, relation: string) => string;
