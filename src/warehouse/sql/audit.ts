import { AUDITED, type Audited, type HeldRows } from '../../domain/held.ts';
import type { LedgerWindow } from '../../domain/ledger.ts';
import { tenths } from '../../domain/psi.ts';
import { namesJob, SCORE_SCALE, type TableLayout, type Tables } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { TableReader } from '../reader.ts';
import type { Audit, ScoresToCount } from '../warehouse.ts';
import { instant } from './dialect.ts';
import { isoTime } from './ledger-entry.ts';
import { histogramCounts } from './tally.ts';
import { countThousandths, THOUSANDTHS } from './thousandths.ts';
import { isEntryOf, isForeign } from './windows.ts';

const MILLION = 10 ** SCORE_SCALE;

/** The audit of published tables, the same for every warehouse. @param reading opens the tables for `work` */
export function auditBy(reading: <T>(work: (reader: TableReader) => Promise<T>) => Promise<T>): Audit {
  return {
    read: reading,
    otherJobs: (tables, job) => reading((reader) => otherJobs(reader, tables, job)),
    held: (tables, job, windows) => reading((reader) => countHeld(reader, tables, job, windows)),
    scoreCounts: (scores) => reading((reader) => countScores(reader, scores)),
  };
}

async function otherJobs(reader: TableReader, tables: Tables, job: string) {
  const { dialect } = reader;
  const text = dialect.type({ type: 'string' });
  const ledger = await reader.find(tables.ledger);
  const selects: string[] = [];
  for (const part of AUDITED) {
    const table = await findPart(reader, tables, part);
    if (table === undefined) continue;
    const other = namesJob(table) ? 'MIN(published.job)' : `CAST(NULL AS ${text})`;
    // Without a ledger, every row of a slim table is foreign: no entry vouches for it.
    const foreign = namesJob(table) || ledger !== undefined ? isForeign(dialect, table, ledger ?? tables.ledger, job) : '1 = 1';
    selects.push(
      `SELECT ${dialect.literal(part)}, ${other}, CAST(COUNT(*) AS ${text}) FROM ${dialect.table(table.name)} published WHERE ${foreign}`,
    );
  }
  const found = selects.length === 0 ? [] : await reader.rows(selects.join(' UNION ALL '));
  return found.flatMap(([part, other, rows]) => {
    const name = tables[part as Audited]?.name;
    return name === undefined || rows === '0' ? [] : [{ table: name, job: other ?? undefined }];
  });
}

async function findPart(reader: TableReader, tables: Tables, part: Audited): Promise<TableLayout | undefined> {
  const layout = tables[part];
  return layout && (await reader.find(layout));
}

async function countHeld(
  reader: TableReader,
  tables: Tables,
  job: string,
  windows: readonly LedgerWindow[],
): Promise<readonly HeldRows[]> {
  if (windows.length === 0) return [];
  const ledger = (await reader.find(tables.ledger)) ?? tables.ledger;
  const selects: string[] = [];
  for (const part of AUDITED) {
    const table = await findPart(reader, tables, part);
    // The rows of a current table belong to no window.
    const ofWindows = table?.columns.some(({ name }) => name === 'window_start');
    if (table && ofWindows) selects.push(selectHeld(reader.dialect, part, { table, ledger, job, windows }));
  }
  const rows = selects.length === 0 ? [] : await reader.rows(selects.join(' UNION ALL '));
  return rows.map(([part, runId, start, end, count]) => ({
    table: part as Audited,
    runId: String(runId),
    window: { start: isoTime(String(start)) ?? '', end: isoTime(String(end)) ?? '' },
    rows: Number(count),
  }));
}

interface HeldWindows {
  readonly table: TableLayout;
  readonly ledger: TableLayout;
  readonly job: string;
  readonly windows: readonly LedgerWindow[];
}

function selectHeld(dialect: Dialect, part: Audited, { table, ledger, job, windows }: HeldWindows): string {
  const { literal } = dialect;
  const own = namesJob(table);
  // Rows of a slim table without a matching entry have no run, and the end of their window is unknown.
  const run = own ? 'published.run_id' : `COALESCE(entries.run_id, ${literal('')})`;
  const end = own ? 'published.window_end' : 'COALESCE(entries.window_end, published.window_start)';
  const time = (column: string) => dialect.text(column, { type: 'timestamp' });
  const count = part === 'summary' ? `SUM(CASE WHEN segment = ${literal('all')} THEN users ELSE 0 END)` : 'COUNT(*)';
  const starts = windows.map(({ start }) => instant(dialect, start));
  const from = own ? '' : `LEFT JOIN ${dialect.table(ledger.name)} entries ON ${isEntryOf(dialect, job)}`;
  return `SELECT ${literal(part)}, run_id, ${time('window_start')}, ${time('window_end')},
      CAST(${count} AS ${dialect.type({ type: 'string' })})
    FROM (SELECT ${run} AS run_id, published.window_start AS window_start, ${end} AS window_end${part === 'summary' ? ', segment, users' : ''}
      FROM ${dialect.table(table.name)} published ${from}
      WHERE ${own ? `published.job = ${literal(job)} AND ` : ''}published.window_start IN (${starts.join(', ')})) held
    GROUP BY run_id, window_start, window_end`;
}

async function countScores(reader: TableReader, { table, ledger, column, job, runId, window, edges }: ScoresToCount) {
  const { dialect } = reader;
  const { literal } = dialect;
  const found = await reader.find(table);
  const entries = await reader.find(ledger);
  if (found === undefined || entries === undefined) return undefined;
  const ofRun = namesJob(found)
    ? `job = ${literal(job)} AND run_id = ${literal(runId)}`
    : `publication IN (SELECT publication FROM ${dialect.table(entries.name)}
        WHERE run_id = ${literal(runId)} AND state = ${literal('published')})`;
  const from = `(SELECT ${dialect.identifier(column)} AS score FROM ${dialect.table(found.name)}
    WHERE ${ofRun} AND window_start = ${instant(dialect, window.start)}) published`;
  const text = (expression: string) => `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
  if (edges !== undefined) {
    const [counts = []] = await reader.rows(`SELECT ${histogramCounts(edges).map(text).join(', ')} FROM ${from}`);
    return { edges, counts: counts.map(Number) };
  }
  const millionths = `CAST(score * ${MILLION} AS ${dialect.type({ type: 'integer' })})`;
  const bins = await countThousandths(reader, millionths, from);
  return tenths(bins.map(([bin, count]) => [bin / THOUSANDTHS, count] as const));
}
