import type { TableColumn, TableLayout } from '../domain/tables.ts';
import { SCORE_SCALE } from '../domain/tables.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { instant } from '../warehouse/sql/dialect.ts';
import { histogramCounts } from '../warehouse/sql/tally.ts';
import type { SegmentBands, Totals } from './page-data.ts';
import type { PublishedWindow } from './published-windows.ts';

// Reads the published scores. Each function runs one statement that groups all rows in the warehouse and returns few rows.

/** The scores table of a job, with its full name. */
export interface Scores {
  readonly reader: TableReader;
  readonly table: TableLayout;
  readonly job: string;
  /** Name of the score column. */
  readonly column: string;
}

/** Values of a segment to read individually; the others are combined. */
const MOST_VALUES = 200;

const MILLION = 10 ** SCORE_SCALE;

/** Users and sum of scores per published window, by run id. */
export async function readTotals(scores: Scores, windows: readonly PublishedWindow[]): Promise<Map<string, Totals>> {
  if (windows.length === 0) return new Map();
  const { dialect } = scores.reader;
  const rows = await scores.reader.rows(
    `SELECT run_id, ${totals(scores)} FROM ${dialect.table(scores.table.name)} published
     WHERE ${ofRuns(scores, windows)} GROUP BY run_id`,
  );
  return new Map(rows.map(([run, ...cells]) => [String(run), toTotals(cells)]));
}

/** Tenths by rank. */
export async function readDeciles(scores: Scores, window: PublishedWindow) {
  const rows = await grouped(scores, window, 'CAST(decile AS TEXT_TYPE)', 'decile');
  return rows.map(([decile, ...cells]) => ({ decile: Number(decile), ...toTotals(cells) })).sort((a, b) => a.decile - b.decile);
}

/** Counts per bin of a histogram with these inner edges. */
export async function readHistogram(scores: Scores, window: PublishedWindow, edges: readonly number[]): Promise<number[]> {
  const { dialect, rows } = scores.reader;
  const counts = histogramCounts(edges).map((count) => dialect.text(count, { type: 'integer' }));
  const from = `(SELECT ${dialect.identifier(scores.column)} AS score FROM ${dialect.table(scores.table.name)}
    WHERE ${ofRuns(scores, [window])}) published`;
  const [found = []] = await rows(`SELECT ${counts.map((count, i) => `${count} AS bin_${i}`).join(', ')} FROM ${from}`);
  return found.map(Number);
}

/** Users and scores per band, for all users. */
export async function readBands(scores: Scores, window: PublishedWindow): Promise<SegmentBands['bands']> {
  const rows = await grouped(scores, window, 'band', 'band');
  return rows.map(([band, ...cells]) => ({ band: String(band), ...toTotals(cells) }));
}

/** Sum of the squared scores, for the spread within and between bands. */
export async function readSquares(scores: Scores, window: PublishedWindow): Promise<number> {
  const { dialect } = scores.reader;
  const score = `CAST(${dialect.identifier(scores.column)} AS ${dialect.type({ type: 'float' })})`;
  const [[sum] = []] = await scores.reader.rows(
    `SELECT CAST(SUM(${score} * ${score}) AS ${dialect.type({ type: 'string' })}) AS squares
     FROM ${dialect.table(scores.table.name)} published WHERE ${ofRuns(scores, [window])}`,
  );
  return Number(sum ?? 0);
}

/** Users and scores for one value of a segment and one group. */
export interface SegmentCell {
  /** Undefined for the values that are not read individually. */
  readonly value: string | undefined;
  /** A band or a run id. */
  readonly group: string;
  readonly totals: Totals;
}

/**
 * Users and scores of each value of a segment in these windows together, by band or by run. The 200 values with the most users
 * are read individually, the others as one.
 */
export async function readSegment(
  scores: Scores,
  windows: readonly PublishedWindow[],
  { column, by }: { readonly column: TableColumn; readonly by: 'band' | 'run_id' },
): Promise<readonly SegmentCell[]> {
  const { dialect } = scores.reader;
  const text = dialect.type({ type: 'string' });
  const value = `COALESCE(${dialect.text(dialect.identifier(column.name), column)}, ${dialect.literal('(none)')})`;
  const score = dialect.identifier(scores.column);
  const rows = await scores.reader.rows(
    `WITH cells AS (SELECT ${value} AS value, ${by} AS part, COUNT(*) AS users, SUM(${score}) AS expected
       FROM ${dialect.table(scores.table.name)} published WHERE ${ofRuns(scores, windows)} GROUP BY 1, 2),
     sizes AS (SELECT value, SUM(users) AS size FROM cells GROUP BY value),
     ranked AS (SELECT value, ROW_NUMBER() OVER (ORDER BY size DESC, ${dialect.bytes('value')}) AS place FROM sizes),
     named AS (SELECT CASE WHEN place <= ${MOST_VALUES} THEN cells.value END AS value, part, users, expected
       FROM cells JOIN ranked ON cells.value = ranked.value)
     SELECT value, part, CAST(SUM(users) AS ${text}) AS users,
       ${dialect.text(`CAST(SUM(expected) * ${MILLION} AS ${dialect.type({ type: 'integer' })})`, { type: 'integer' })} AS millionths
     FROM named GROUP BY value, part`,
  );
  return rows.map(([found, group, ...cells]) => ({ value: found ?? undefined, group: String(group), totals: toTotals(cells) }));
}

/** The top ranks: rank, score, band, key, then the named columns, as text. */
export async function readRiskiest(
  scores: Scores,
  window: PublishedWindow,
  { key, most, columns }: { readonly key: readonly TableColumn[]; readonly most: number; readonly columns: readonly string[] },
): Promise<readonly (readonly (string | null)[])[]> {
  const { dialect } = scores.reader;
  const named = (name: string): string => {
    const column = scores.table.columns.find((other) => other.name === name);
    return column === undefined ? 'NULL' : dialect.text(dialect.identifier(name), column);
  };
  const texts = ['rank', scores.column, 'band', ...columns].map(named);
  const keys = key.map((column) => dialect.text(dialect.identifier(column.name), column));
  const list = [...texts, ...keys].map((text, i) => `${text} AS text_${i}`);
  return await scores.reader.rows(
    `SELECT ${list.join(', ')} FROM ${dialect.table(scores.table.name)} published
     WHERE ${ofRuns(scores, [window])} AND rank <= ${most} ORDER BY published.rank`,
  );
}

async function grouped(scores: Scores, window: PublishedWindow, name: string, by: string) {
  const { dialect } = scores.reader;
  const text = dialect.type({ type: 'string' });
  return await scores.reader.rows(
    `SELECT ${name.replace('TEXT_TYPE', text)} AS name, ${totals(scores)} FROM ${dialect.table(scores.table.name)} published
     WHERE ${ofRuns(scores, [window])} GROUP BY ${by}`,
  );
}

/** Number of rows and sum of the scores in millionths, so that no warehouse rounds it. */
function totals({ reader: { dialect }, column }: Scores): string {
  const text = dialect.type({ type: 'string' });
  const millionths = `SUM(${dialect.identifier(column)}) * ${MILLION}`;
  return `CAST(COUNT(*) AS ${text}) AS users,
    ${dialect.text(`CAST(${millionths} AS ${dialect.type({ type: 'integer' })})`, { type: 'integer' })} AS millionths`;
}

/** Totals of several cells. Adds whole millionths, because the sum must not depend on the order of a warehouse's rows. */
export function sumOf(cells: readonly SegmentCell[]): Totals {
  return {
    users: cells.reduce((sum, { totals }) => sum + totals.users, 0),
    expected: cells.reduce((sum, { totals }) => sum + Math.round(totals.expected * MILLION), 0) / MILLION,
  };
}

function toTotals([users, sum]: readonly (string | null)[]): Totals {
  return { users: Number(users), expected: Number(sum) / MILLION };
}

/** Condition: the row belongs to one of these publications. Window starts let a partitioned table read little. */
function ofRuns({ reader: { dialect }, job }: Scores, windows: readonly PublishedWindow[]): string {
  const { literal } = dialect;
  const starts = [...new Set(windows.map(({ start }) => start))].map((start) => instant(dialect, start));
  return `job = ${literal(job)} AND window_start IN (${starts.join(', ')})
    AND run_id IN (${windows.map(({ runId }) => literal(runId)).join(', ')})`;
}
