import type { LedgerEntry, LedgerWindow } from '../../domain/ledger.ts';
import { namesJob, type TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import { instant } from './dialect.ts';

// Ownership of rows in published tables. A slim table belongs to one job, so it has no job column. It has no column for the
// end of the window either. The ledger has it: window start and publication number together identify one window of the job.

/** Condition: the row belongs to one of these windows of the job. */
export function inWindows(
  dialect: Dialect,
  table: TableLayout,
  ledger: TableLayout,
  { job, windows }: { readonly job: string; readonly windows: readonly Pick<LedgerWindow, 'start' | 'end'>[] },
): string {
  const ofJob = `job = ${dialect.literal(job)}`;
  if (namesJob(table)) return `${ofJob} AND (${windows.map((window) => isWindow(dialect, table, window)).join(' OR ')})`;
  const published = windows.map(
    (window) => `${isWindow(dialect, table, window)} AND publication IN (SELECT publication FROM ${dialect.table(ledger.name)}
      WHERE ${ofJob} AND ${isWindow(dialect, ledger, window)} AND state = ${dialect.literal('published')})`,
  );
  return `(${published.join(' OR ')})`;
}

/** Condition: the row is part of the entry's publication. @param entry with its publication number */
export function inPublication(dialect: Dialect, table: TableLayout, { job, window, publication }: LedgerEntry): string {
  const rows = isWindow(dialect, table, window);
  return namesJob(table) ? `job = ${dialect.literal(job)} AND ${rows}` : `${rows} AND publication = ${publication ?? 'NULL'}`;
}

/** Condition: the row is of this window as far as the table's columns tell, for any job. */
export function isWindow(dialect: Dialect, table: TableLayout, { start, end }: Pick<LedgerWindow, 'start' | 'end'>): string {
  const begins = `window_start = ${instant(dialect, start)}`;
  return namesJob(table) ? `${begins} AND window_end = ${instant(dialect, end)}` : begins;
}

/**
 * Condition: the row, aliased `published`, belongs to another job. A row of a slim table does if the job's ledger does not
 * have its publication.
 */
export function isForeign(dialect: Dialect, table: TableLayout, ledger: TableLayout, job: string): string {
  if (namesJob(table)) return `published.job <> ${dialect.literal(job)}`;
  return `NOT EXISTS (SELECT 1 FROM ${dialect.table(ledger.name)} entries WHERE ${isEntryOf(dialect, job)})`;
}

/** Condition: the ledger entry, aliased `entries`, is the publication of a slim table's row, aliased `published`. */
export function isEntryOf({ literal }: Dialect, job: string): string {
  return `entries.job = ${literal(job)} AND entries.state = ${literal('published')}
    AND entries.window_start = published.window_start AND entries.publication = published.publication`;
}
