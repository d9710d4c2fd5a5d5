import type { TableName } from '../../domain/table-name.ts';
import type { Dialect } from '../dialect.ts';
import type { BoundaryRows } from '../view-spec.ts';
import { instant } from './dialect.ts';

/** Deletes the rows of boundaries; a repeat is harmless. @param table with its full name */
export function deleteBoundaries(
  dialect: Dialect,
  table: TableName,
  { jobs, boundaries }: Pick<BoundaryRows, 'jobs' | 'boundaries'>,
): string {
  const list = boundaries.map((iso) => instant(dialect, iso));
  return `DELETE FROM ${dialect.table(table)} WHERE job IN (${jobs.map(dialect.literal).join(', ')}) AND boundary IN (${list.join(', ')})`;
}
