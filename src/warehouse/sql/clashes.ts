import type { LedgerEntry } from '../../domain/ledger.ts';
import { overlapping, type PublishedEntry } from '../../domain/publications.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { PublicationSpec } from '../warehouse.ts';
import type { Dialect } from './dialect.ts';
import { isNear, isOtherDigest } from './ledger.ts';
import { isForeign, isWindow } from './windows.ts';

// What the plan made sure of, once more at the publish lock: another process may have published since. The plan says what is wrong;
// here it is enough that something is.

/** Publications that are to be replaced, as far as they say which. */
type Replaced = readonly Pick<PublishedEntry, 'runId'>[];

/**
 * @param entries of the job, of all windows near the entry's
 * @throws ScoreBatchError `conflict` where an overlapping window is published that the plan did not know of, or was replaced
 */
export function refuseOverlap(entries: readonly LedgerEntry[], { entry, overlaps }: PublicationSpec): void {
  const ids = (list: Replaced) =>
    list
      .map(({ runId }) => runId)
      .sort()
      .join();
  if (ids(overlapping(entries, entry.window)) !== ids(overlaps)) throw clashed(entry);
}

/** Publications near the entry's window, as an expression: it grows with each. */
export function countNear(dialect: Dialect, ledger: TableLayout, { job, window }: LedgerEntry): string {
  return `(SELECT COUNT(*) FROM ${dialect.table(ledger.name)}
    WHERE job = ${dialect.literal(job)} AND publication IS NOT NULL AND ${isNear(dialect, window)})`;
}

/**
 * How much there is that must not be when the entry is published, as an expression: publications of another model under the
 * same name and version, and other jobs' rows of this window in tables that are not shared.
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
  return new ScoreBatchError('conflict', `another process published meanwhile what cannot stand beside ${label}`, {
    details: ['an overlapping window, rows of another job in the same table, or another model under the same version'],
    hint: 'start again: the plan of the next start says which, and what to do',
  });
}
