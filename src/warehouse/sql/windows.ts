import type { LedgerEntry, LedgerWindow } from '../../domain/ledger.ts';
import { namesJob, type TableLayout } from '../../domain/tables.ts';
import { type Dialect, instant } from './dialect.ts';

// Which rows of a published table are whose. A slim table has no column for the job: it belongs to one. Nor has it one for the end
// of the window; the ledger tells by start and publication number, which no other window of the job has with the same start.

/** Whether a row of the table belongs to one of the job's windows, as a condition. */
export function inWindows(
  dialect: Dialect,
  table: TableLayout,
  ledger: TableLayout,
  job: string,
  windows: readonly Pick<LedgerWindow, 'start' | 'end'>[],
): string {
  const ofJob = `job = ${dialect.literal(job)}`;
  const spans = windows.map(({ start, end }) => {
    const begins = `window_start = ${instant(dialect, start)}`;
    const window = `${begins} AND window_end = ${instant(dialect, end)}`;
    if (namesJob(table)) return window;
    return `${begins} AND publication IN (SELECT publication FROM ${dialect.table(ledger.name)}
      WHERE ${ofJob} AND ${window} AND state = ${dialect.literal('published')})`;
  });
  const inSpans = `(${spans.join(' OR ')})`;
  return namesJob(table) ? `${ofJob} AND ${inSpans}` : inSpans;
}

/** Whether a row of the table is one that the entry's publication wrote or writes, as a condition. @param entry with its number */
export function inPublication(dialect: Dialect, table: TableLayout, { job, window, publication }: LedgerEntry): string {
  const rows = isWindow(dialect, table, window);
  return namesJob(table) ? `job = ${dialect.literal(job)} AND ${rows}` : `${rows} AND publication = ${publication ?? 'NULL'}`;
}

/** Whether a row is of this window as far as the table says, whosever it is, as a condition. */
export function isWindow(dialect: Dialect, table: TableLayout, { start, end }: Pick<LedgerWindow, 'start' | 'end'>): string {
  const begins = `window_start = ${instant(dialect, start)}`;
  return namesJob(table) ? `${begins} AND window_end = ${instant(dialect, end)}` : begins;
}

/**
 * Whether a row of the table, as `published`, is another job's, as a condition: of a slim table, whether the ledger has no such
 * publication of the job.
 */
export function isForeign(dialect: Dialect, table: TableLayout, ledger: TableLayout, job: string): string {
  if (namesJob(table)) return `published.job <> ${dialect.literal(job)}`;
  return `NOT EXISTS (SELECT 1 FROM ${dialect.table(ledger.name)} entries WHERE ${tellsOf(dialect, job)})`;
}

/** Whether an entry of the ledger, as `entries`, tells of the publication of a slim table's row, as `published`. */
export function tellsOf({ literal }: Dialect, job: string): string {
  return `entries.job = ${literal(job)} AND entries.state = ${literal('published')}
    AND entries.window_start = published.window_start AND entries.publication = published.publication`;
}
