import { AUDITED, type Audited, type Held } from '../../domain/held.ts';
import type { LedgerWindow } from '../../domain/ledger.ts';
import { tenths } from '../../domain/psi.ts';
import { SCORE_SCALE, type TableLayout, type Tables } from '../../domain/tables.ts';
import type { Audit, ScoresToCount } from '../warehouse.ts';
import { type Dialect, instant } from './dialect.ts';
import { isoTime } from './ledger-entry.ts';
import { histogramCounts, type TextRow } from './tally.ts';

/** What it takes to look into published tables. */
export interface TableReader {
  readonly dialect: Dialect;
  /** The layout by its full name; undefined where there is no such table. */
  find(layout: TableLayout): Promise<TableLayout | undefined>;
  /** Rows of a query whose values are all text. */
  rows(sql: string): Promise<readonly TextRow[]>;
}

/** Bins by which scores are counted where no edges are given: a thousand, of a thousandth each. */
const FINE = 1_000;
const MILLION = 10 ** SCORE_SCALE;

/** The same look at the tables for every warehouse. @param reading opens what `work` reads from */
export function auditBy(reading: <T>(work: (reader: TableReader) => Promise<T>) => Promise<T>): Audit {
  return {
    otherJobs: (tables, job) => reading((reader) => otherJobs(reader, tables, job)),
    held: (tables, job, windows) => reading((reader) => countHeld(reader, tables, job, windows)),
    scoreCounts: (scores) => reading((reader) => countScores(reader, scores)),
  };
}

async function otherJobs(reader: TableReader, tables: readonly TableLayout[], job: string) {
  const { dialect } = reader;
  const selects: string[] = [];
  for (const [position, layout] of tables.entries()) {
    const table = await reader.find(layout);
    if (table === undefined) continue;
    selects.push(
      `SELECT ${dialect.literal(String(position))}, MIN(job) FROM ${dialect.table(table.name)} WHERE job <> ${dialect.literal(job)}`,
    );
  }
  const found = selects.length === 0 ? [] : await reader.rows(selects.join(' UNION ALL '));
  return found.flatMap(([position, other]) => {
    const name = tables[Number(position)]?.name;
    return name === undefined || other === null || other === undefined ? [] : [{ table: name, job: other }];
  });
}

async function countHeld(
  reader: TableReader,
  tables: Tables,
  job: string,
  windows: readonly LedgerWindow[],
): Promise<readonly Held[]> {
  if (windows.length === 0) return [];
  const selects: string[] = [];
  for (const part of AUDITED) {
    const layout = tables[part];
    const table = layout && (await reader.find(layout));
    if (table) selects.push(selectHeld(reader.dialect, part, table, job, windows));
  }
  const rows = selects.length === 0 ? [] : await reader.rows(selects.join(' UNION ALL '));
  return rows.map(([part, runId, start, end, count]) => ({
    table: part as Audited,
    runId: String(runId),
    window: { start: isoTime(String(start)) ?? '', end: isoTime(String(end)) ?? '' },
    rows: Number(count),
  }));
}

function selectHeld(
  dialect: Dialect,
  part: Audited,
  table: TableLayout,
  job: string,
  windows: readonly LedgerWindow[],
): string {
  const { literal } = dialect;
  const time = (column: string) => dialect.text(column, { type: 'timestamp' });
  const count = part === 'summary' ? `SUM(CASE WHEN segment = ${literal('all')} THEN users ELSE 0 END)` : 'COUNT(*)';
  const starts = windows.map(({ start }) => instant(dialect, start));
  return `SELECT ${literal(part)}, run_id, ${time('window_start')}, ${time('window_end')},
      CAST(${count} AS ${dialect.type({ type: 'string' })})
    FROM ${dialect.table(table.name)} WHERE job = ${literal(job)} AND window_start IN (${starts.join(', ')})
    GROUP BY run_id, window_start, window_end`;
}

async function countScores(reader: TableReader, { table, column, job, runId, window, edges }: ScoresToCount) {
  const { dialect } = reader;
  const found = await reader.find(table);
  if (found === undefined) return undefined;
  const from = `(SELECT ${dialect.identifier(column)} AS score FROM ${dialect.table(found.name)}
    WHERE job = ${dialect.literal(job)} AND run_id = ${dialect.literal(runId)}
      AND window_start = ${instant(dialect, window.start)}) published`;
  const text = (expression: string) => `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
  if (edges !== undefined) {
    const [counts = []] = await reader.rows(`SELECT ${histogramCounts(edges).map(text).join(', ')} FROM ${from}`);
    return { edges, counts: counts.map(Number) };
  }
  const millionths = `CAST(score * ${MILLION} AS ${dialect.type({ type: 'integer' })})`;
  const rows = await reader.rows(
    `SELECT ${text('bin')}, ${text('COUNT(*)')} FROM (SELECT ${dialect.quotient(millionths, String(MILLION / FINE))} AS bin FROM ${from}) binned
     GROUP BY bin`,
  );
  const bins = rows.map(([bin, count]) => [Number(bin) / FINE, Number(count)] as const);
  return tenths(bins.sort(([one], [other]) => one - other));
}
