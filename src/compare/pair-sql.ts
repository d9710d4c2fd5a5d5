import type { Dialect } from '../warehouse/dialect.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { keyOrder } from '../warehouse/sql/key-order.ts';
import { type Border, MUCH, overlapOf, type PairFacts, tenthOf } from './pair-facts.ts';
import { asTexts, quantilesOver, stepsOf, toNumber } from './score-steps.ts';
import type { ScoredRows } from './scored-rows.ts';

/** The rows of a side without and with bands. Bands can cost a sort, so only the query of moves reads them. */
export interface PairedRows {
  readonly plain: ScoredRows;
  readonly banded: ScoredRows;
}

/** Compares the users of both sides, matched by key. @param largest number of differences to list */
export async function readPairs(reader: TableReader, a: PairedRows, b: PairedRows, largest: number): Promise<PairFacts> {
  const pairs = joined(a.plain, b.plain);
  const sums = await readSums(reader, joined(a.banded, b.banded, ['side_a.band AS band_a', 'side_b.band AS band_b']));
  const { users } = sums;
  if (users === 0) return { ...sums, ...NO_PAIRS };
  const { dialect } = reader;
  const [quantiles = []] = await reader.rows(
    `WITH ${stepsOf('change', pairs, 'score_b - score_a')} SELECT ${asTexts(dialect, quantilesOver())} FROM change_steps`,
  );
  return {
    ...sums,
    quantiles: quantiles.map(toNumber),
    ...(await readRanks(reader, pairs, users)),
    largest: await readLargest(reader, pairs, a.plain, largest),
  };
}

const NO_PAIRS = { quantiles: [], overlap: 0, spearman: undefined, largest: [] };

function joined(a: ScoredRows, b: ScoredRows, bands: readonly string[] = []): string {
  const keys = a.key.map((_, i) => `side_a.key_${i} AS key_${i}`);
  return `(SELECT ${[...keys, 'side_a.millionths AS score_a', 'side_b.millionths AS score_b', ...bands].join(', ')}
    FROM (${a.select}) side_a JOIN (${b.select}) side_b
    ON ${a.key.map((_, i) => `side_a.key_${i} = side_b.key_${i}`).join(' AND ')}) pairs`;
}

type Sums = Omit<PairFacts, keyof typeof NO_PAIRS>;

async function readSums({ dialect, rows }: TableReader, pairs: string): Promise<Sums> {
  const change = 'score_b - score_a';
  const when = (condition: string) => `SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END)`;
  const sums = [
    ...['COUNT(*)', `COALESCE(SUM(${change}), 0)`, `COALESCE(SUM(ABS(${change})), 0)`, `COALESCE(MAX(ABS(${change})), 0)`],
    ...[`${change} = 0`, `${change} > ${MUCH}`, `${change} < -${MUCH}`].map((condition) => `COALESCE(${when(condition)}, 0)`),
  ];
  const found = await rows(`SELECT band_a, band_b, ${asTexts(dialect, sums)} FROM ${pairs} GROUP BY band_a, band_b`);
  const groups = found.map(([from, to, ...values]) => ({ from: String(from), to: String(to), values: values.map(Number) }));
  const sum = (i: number) => groups.reduce((total, { values }) => total + (values[i] ?? 0), 0);
  return {
    ...{ users: sum(0), change: sum(1), absolute: sum(2), equal: sum(4), muchHigher: sum(5), muchLower: sum(6) },
    largestChange: groups.reduce((most, { values }) => Math.max(most, values[3] ?? 0), 0),
    moves: groups.map(({ from, to, values }) => ({ from, to, users: values[0] ?? 0 })),
  };
}

/** Twice the difference between a step's mean rank and the mean of all ranks; an integer. */
function centred(steps: string): string {
  return `2 * ${steps}.upto - ${steps}.n - ${steps}.total`;
}

async function readRanks(
  { dialect, rows }: TableReader,
  pairs: string,
  users: number,
): Promise<Pick<PairFacts, 'overlap' | 'spearman'>> {
  const float = (expression: string) => `CAST(${expression} AS ${dialect.type({ type: 'float' })})`;
  const side = async (column: string): Promise<Border & { readonly spread: number }> => {
    const isBorder = `total - upto < ${tenthOf(users)} AND total - upto + n >= ${tenthOf(users)}`;
    const at = ['step', 'n', 'total - upto'].map((value) => `SUM(CASE WHEN ${isBorder} THEN ${value} ELSE 0 END)`);
    const [[spread, step, n, above] = []] = await rows(
      `WITH ${stepsOf('score', pairs, column)}
       SELECT ${textOf(dialect, `SUM(${float('n')} * ${float(centred('score_steps'))} * ${float(centred('score_steps'))})`)} AS spread,
         ${asTexts(dialect, at)} FROM score_steps`,
    );
    return { spread: Number(spread), millionths: Number(step), tied: Number(n), taken: tenthOf(users) - Number(above) };
  };
  const [a, b] = [await side('score_a'), await side('score_b')];
  const at = (scores: string) => `SUM(CASE WHEN ${scores} THEN 1 ELSE 0 END)`;
  const [aboveA, atA] = [`score_a > ${a.millionths}`, `score_a = ${a.millionths}`];
  const [aboveB, atB] = [`score_b > ${b.millionths}`, `score_b = ${b.millionths}`];
  const counts = [`${aboveA} AND ${aboveB}`, `${aboveA} AND ${atB}`, `${atA} AND ${aboveB}`, `${atA} AND ${atB}`].map(at);
  const [[together, ...borders] = []] = await rows(
    `WITH pairs AS (SELECT score_a, score_b FROM ${pairs}), ${stepsOf('a', 'pairs', 'score_a')}, ${stepsOf('b', 'pairs', 'score_b')}
     SELECT ${textOf(dialect, `SUM(${float(centred('a_steps'))} * ${float(centred('b_steps'))})`)} AS together, ${asTexts(dialect, counts)}
     FROM pairs JOIN a_steps ON pairs.score_a = a_steps.step JOIN b_steps ON pairs.score_b = b_steps.step`,
  );
  const [bothAbove = 0, aAboveBAt = 0, aAtBAbove = 0, bothAt = 0] = borders.map(Number);
  return {
    overlap: overlapOf(a, b, { bothAbove, aAboveBAt, aAtBAbove, bothAt }),
    spearman: a.spread === 0 || b.spread === 0 ? undefined : Number(together) / Math.sqrt(a.spread * b.spread),
  };
}

async function readLargest(
  { dialect, rows }: TableReader,
  pairs: string,
  { key }: ScoredRows,
  most: number,
): Promise<PairFacts['largest']> {
  if (most === 0) return [];
  const columns = key.map((column) => ({ ...column, native: column.type }));
  const order = ['ABS(score_b - score_a) DESC', ...keyOrder(dialect, columns, false)];
  const keys = columns.map((column, i) => `${dialect.text(`key_${i}`, column)} AS text_${i}`);
  const found = await rows(
    `SELECT ${asTexts(dialect, ['score_a', 'score_b'])}, ${keys.join(', ')} FROM ${pairs}
     WHERE score_a <> score_b ORDER BY ${order.join(', ')} LIMIT ${most}`,
  );
  return found.map(([a, b, ...texts]) => ({ key: texts.map(String), a: Number(a), b: Number(b) }));
}

function textOf(dialect: Dialect, expression: string): string {
  return `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
}
