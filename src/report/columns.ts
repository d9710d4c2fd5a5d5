import type { TableColumn } from '../domain/tables.ts';

const PLACE = ['rank', 'percentile', 'decile', 'band'];

/** Columns that follow the ranks if the job has them: why the score is high, and whether the user is held out from contact. */
const OPTIONAL = /^(reason_[1-9]\d*|holdout)$/;

/**
 * The columns of the report files: the window, the job's own columns, the score, the ranks, then reasons and holdout if the
 * table has them. None of them differs between two runs on the same rows.
 *
 * @param scores columns of the scores table: the job's own and the score, then `rank` to `band`, then all others
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
  const after = scores.slice(scores.findIndex(({ name }) => name === 'band') + 1);
  return [named('window_label'), ...own, ...PLACE.map(named), ...after.filter(({ name }) => OPTIONAL.test(name))];
}
