import type { TableColumn } from '../domain/tables.ts';

const PLACE = ['rank', 'percentile', 'decile', 'band'];

/**
 * The columns of the report file: the window, the job's own columns, the score and the ranks. None of them differs between
 * two runs on the same rows.
 *
 * @param scores columns of the scores table: the job's own and the score, then `rank`
 */
export function reportColumns(scores: readonly TableColumn[]): TableColumn[] {
  const named = (name: string): TableColumn => {
    const column = scores.find((other) => other.name === name);
    if (column === undefined) throw new Error(`the scores table has no column ${name}`);
    return column;
  };
  const own = scores.slice(
    0,
    scores.findIndex(({ name }) => name === 'rank'),
  );
  return [named('window_label'), ...own, ...PLACE.map(named)];
}
