import type { TableName } from '../../domain/table-name.ts';
import type { Dialect } from '../dialect.ts';
import type { BoundaryRows } from '../view-spec.ts';
import { instant } from './dialect.ts';

/** Deletes the rows of boundaries; repeating it is harmless. @param table with its full name */
export function deleteBoundaries(
  dialect: Dialect,
  table: TableName,
  { job, boundaries }: Pick<BoundaryRows, 'job' | 'boundaries'>,
): string {
  const list = boundaries.map((iso) => instant(dialect, iso));
  return `DELETE FROM ${dialect.table(table)} WHERE job = ${dialect.literal(job)} AND boundary IN (${list.join(', ')})`;
}
