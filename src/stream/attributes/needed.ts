import { ScoreBatchError } from '../../errors.ts';
import type { AttributeColumn } from './table.ts';

/**
 * The columns to keep, in the order of `need`.
 *
 * @param where names the source of the columns, for messages
 * @throws ScoreBatchError `configuration` if one is missing
 */
export function neededColumns(
  columns: readonly AttributeColumn[],
  need: readonly string[] | undefined,
  where: string,
): AttributeColumn[] {
  if (need === undefined) return [...columns];
  const missing = need.filter((name) => !columns.some((column) => column.name === name));
  if (missing.length > 0) {
    throw new ScoreBatchError('configuration', `${where} has no ${missing.join(', ')}, which the model takes`, {
      hint: `add what is missing, or map the feature in the job file; the columns are: ${columns.map(({ name }) => name).join(', ') || 'none'}`,
    });
  }
  return need.flatMap((name) => columns.find((column) => column.name === name) ?? []);
}
