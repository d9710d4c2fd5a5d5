import { histogramOf, populationStabilityIndex, tenths } from '../domain/psi.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { countThousandths, THOUSANDTHS } from '../warehouse/sql/thousandths.ts';
import { asTexts, quantilesOver, stepsOf, toNumber } from './score-steps.ts';
import type { ScoredRows } from './scored-rows.ts';

/** All scores of a side. */
export interface Distribution {
  readonly users: number;
  /** Sum of the scores in millionths. */
  readonly sum: number;
  /** In millionths, for `PERCENTS`; undefined without users. */
  readonly quantiles: readonly (number | undefined)[];
  /** Users by thousandths of the score, rounded down; ascending, without empty bins. */
  readonly bins: readonly (readonly [thousandths: number, users: number])[];
}

export async function readDistribution(reader: TableReader, { select }: Pick<ScoredRows, 'select'>): Promise<Distribution> {
  const { dialect } = reader;
  const side = `(${select}) side_rows`;
  const [[users, sum, ...quantiles] = []] = await reader.rows(
    `WITH ${stepsOf('score', side, 'millionths')}
     SELECT ${asTexts(dialect, ['COALESCE(SUM(n), 0)', 'COALESCE(SUM(n * step), 0)', ...quantilesOver()])} FROM score_steps`,
  );
  return {
    ...{ users: Number(users), sum: Number(sum), quantiles: quantiles.map(toNumber) },
    bins: await countThousandths(reader, 'millionths', side),
  };
}

/** Population stability index of B against ten bins of about equal shares of A; undefined if a side has no users. */
export function driftOf(a: Distribution, b: Distribution): number | undefined {
  if (a.users === 0 || b.users === 0) return undefined;
  const reference = tenths(a.bins.map(([bin, users]) => [bin / THOUSANDTHS, users] as const));
  const counts = reference.counts.map(() => 0);
  for (const [bin, users] of b.bins) {
    const place = reference.edges.filter((edge) => edge <= bin / THOUSANDTHS).length;
    counts[place] = (counts[place] ?? 0) + users;
  }
  return populationStabilityIndex(counts, histogramOf(reference));
}
