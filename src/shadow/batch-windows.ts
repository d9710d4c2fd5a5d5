import { type LedgerEntry, type LedgerWindow, runsOf } from '../domain/ledger.ts';
import { currentEntries, type PublishedEntry, windowKey } from '../domain/publications.ts';
import { isSameTable, parseTableName } from '../domain/table-name.ts';
import type { JobDefinition } from '../job/schema.ts';
import { dayStart } from '../window/calendar.ts';

/** A window of the batch that is published, or that had no rows. */
export interface BatchWindow {
  readonly window: LedgerWindow;
  /** What the tables hold; undefined if the window had no rows. */
  readonly published: PublishedEntry | undefined;
}

/** Windows of the job's length, oldest first. @param entries all of the batch */
export function batchWindows(entries: readonly LedgerEntry[], { every }: Pick<JobDefinition, 'every'>): BatchWindow[] {
  const published = currentEntries(entries).map((entry) => ({ window: entry.window, published: entry }));
  const known = new Set(published.map(({ window }) => windowKey(window)));
  const empty = runsOf(entries).filter(({ state, window }) => state === 'skipped' && !known.has(windowKey(window)));
  return [...published, ...empty.map(({ window }) => ({ window, published: undefined }))]
    .filter(({ window }) => window.kind === every)
    .sort((a, b) => (a.window.start < b.window.start ? -1 : 1));
}

/**
 * The windows from `incremental.since` up to this one.
 *
 * @returns undefined if one between them is not published, or was published to another table
 */
export function knownSince(
  windows: readonly BatchWindow[],
  { end }: LedgerWindow,
  { incremental, time_zone: zone, sink }: JobDefinition,
): LedgerWindow[] | undefined {
  if (incremental === undefined) return undefined;
  const since = new Date(dayStart(incremental.since, zone)).toISOString();
  const own = windows.filter(({ window }) => window.end > since && window.end <= end);
  const table = parseTableName(sink.table) ?? [];
  let reached = since;
  for (const { window, published } of own) {
    if (window.start > reached) return undefined;
    if (published?.details.table !== undefined && !isSameTable(published.details.table, table)) return undefined;
    if (window.end > reached) reached = window.end;
  }
  return reached === end ? own.flatMap(({ window, published }) => (published === undefined ? [] : [window])) : undefined;
}
