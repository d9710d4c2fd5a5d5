import type { TableName } from '../domain/table-name.ts';
import type { Dialect } from './dialect.ts';

/** A view for people. */
export interface ViewSpec {
  readonly name: TableName;
  /** Job that the view belongs to: a view of another job is never replaced. */
  readonly job: string;
  /**
   * Returns the SELECT, which must use each of its arguments.
   *
   * @param table quotes a table's name as views of this warehouse should have it
   * @param mark condition that is always true, to include in the SELECT: it identifies the view's job, and shows whether the
   * view is up to date
   */
  readonly select: (dialect: Dialect, table: (name: TableName) => string, mark: string) => string;
}

/** A boundary's rows: copies of the current table that are no longer needed. */
export interface BoundaryRows {
  readonly table: TableName;
  readonly ledger: TableName;
  /** The rows' job: that of the slices. */
  readonly job: string;
  /** Instants as ISO strings. */
  readonly boundaries: readonly string[];
}
