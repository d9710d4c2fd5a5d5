import type { TableName } from '../domain/table-name.ts';
import type { Dialect } from './dialect.ts';

/** A view for people. */
export interface ViewSpec {
  readonly name: TableName;
  /** Job that the view is of: another one's is never replaced. */
  readonly job: string;
  /**
   * The SELECT, which must use each of its arguments.
   *
   * @param table a table's name, quoted, as views of this warehouse should have it
   * @param mark condition that always holds, to be part of the SELECT: it tells whose the view is, and whether it is up to date
   */
  readonly select: (dialect: Dialect, table: (name: TableName) => string, mark: string) => string;
}

/** A boundary's rows: copies of the current table that are not needed any more. */
export interface BoundaryRows {
  readonly table: TableName;
  readonly ledger: TableName;
  /** The rows' job: the slices. */
  readonly job: string;
  /** Instants as ISO text. */
  readonly boundaries: readonly string[];
}
