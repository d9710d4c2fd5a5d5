import type { LedgerEntry } from '../../domain/ledger.ts';
import { overlapping, type PublishedEntry } from '../../domain/publications.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { Dialect } from '../dialect.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { isNear, isNewest, isOtherDigest } from './ledger.ts';
import { isForeign, isWindow } from './windows.ts';

// Repeats the plan's checks under the publish lock, because another process can have published since. The plan reports
// details; here it is enough to know that something is wrong.

type Runs = readonly Pick<PublishedEntry, 'runId' | 'publication'>[];

/**
 * @param entries of the job, for all windows near the entry's
 * @throws ScoreBatchError `conflict` if the published overlapping windows are not those that the plan saw
 */
export function refuseOverlap(entries: readonly LedgerEntry[], { entry, overlaps }: PublicationSpec): void {
  const ids = (list: Runs) =>
    list
      .map(({ runId, publication }) => `${runId} ${publication}`)
      .sort()
      .join();
  if (ids(overlapping(entries, entry.window)) !== ids(overlaps)) throw clashed(entry);
}

/**
 * Expression for the number of publications near the entry's window, among those that `selectEntries` reads. It never
 * decreases. For a job of slices it counts only the newest one, whose publication number distinguishes it.
 */
export function countNear(dialect: Dialect, ledger: TableLayout, { job, window }: LedgerEntry): string {
  const conditions = [
    ...[`job = ${dialect.literal(job)}`, 'publication IS NOT NULL', isNear(dialect, window)],
    ...isNewest(dialect, ledger, job),
  ];
  return `(SELECT COUNT(*) FROM ${dialect.table(ledger.name)} entries WHERE ${conditions.join(' AND ')})`;
}

/**
 * Expression for the number of conflicts that forbid publishing the entry: publications of another model under the same name
 * and version, and other jobs' rows of this window in tables that are not shared.
 */
export function countClashes(
  dialect: Dialect,
  ledger: TableLayout,
  tables: readonly TableLayout[],
  { entry, sharedTables }: Pick<PublicationSpec, 'entry' | 'sharedTables'>,
): string {
  const job = dialect.literal(entry.job);
  const counts = [
    `${dialect.table(ledger.name)} WHERE job = ${job} AND publication IS NOT NULL AND ${isOtherDigest(dialect, entry.model)}`,
    ...(sharedTables
      ? []
      : tables.map(
          (table) =>
            `${dialect.table(table.name)} published WHERE ${isForeign(dialect, table, ledger, entry.job)} AND ${isWindow(dialect, table, entry.window)}`,
        )),
  ];
  return counts.map((from) => `(SELECT COUNT(*) FROM ${from})`).join(' + ');
}

export function clashed({ window: { label } }: LedgerEntry): ScoreBatchError {
  return new ScoreBatchError('conflict', `another process published something that conflicts with ${label} in the meantime`, {
    details: [
      'an overlapping window, rows of another job in the same table, rows of a later slice in the current table, or another model under the same version',
    ],
    hint: 'run the command again: its plan shows which of these it is and what to do',
  });
}
