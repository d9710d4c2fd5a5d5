import { SCORE_SCALE } from '../../domain/tables.ts';
import type { TableReader } from '../reader.ts';

/** Number of score bins, each a thousandth wide. */
export const THOUSANDTHS = 1_000;

/**
 * Row counts by thousandths of the score, rounded down; ascending, without empty bins.
 *
 * @param millionths expression for the score as an integer
 * @param from relation with an alias
 */
export async function countThousandths(
  { dialect, rows }: TableReader,
  millionths: string,
  from: string,
): Promise<(readonly [thousandths: number, rows: number])[]> {
  const text = (expression: string) => `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
  const width = String(10 ** SCORE_SCALE / THOUSANDTHS);
  const found = await rows(
    `SELECT ${text('bin')}, ${text('COUNT(*)')} FROM (SELECT ${dialect.quotient(millionths, width)} AS bin FROM ${from}) binned
     GROUP BY bin`,
  );
  return found.map(([bin, count]) => [Number(bin), Number(count)] as const).sort(([one], [other]) => one - other);
}
