import type { LedgerEntry } from '../../domain/ledger.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { LedgerFilter } from '../ledger-filter.ts';
import { insertEntry, selectEntries } from '../sql/ledger.ts';
import { readEntry } from '../sql/ledger-entry.ts';
import { backoff, sleep } from '../timeouts.ts';
import type { Ledger } from '../warehouse.ts';
import { type Connection, withGracePeriod } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { translated } from './errors.ts';
import { createLock, lockTable, takeLock } from './publish-lock.ts';
import { rows, run } from './query.ts';
import { refusalOf, refuseUnless, transaction } from './script.ts';
import { createLayout, inProject, layoutExists } from './tables.ts';

/** Decisions that may become outdated by another process's entry before this is a conflict. */
const MAX_DECISIONS = 20;

export function bigqueryLedger(aborting: Connection, table: TableLayout): Ledger {
  // The outcome is recorded even if a signal has just ended the run.
  const connection = withGracePeriod(aborting);
  const layout = inProject(connection, table);
  return {
    entries: (filter) => translated(connection, () => readEntries(connection, layout, filter), 'reading the ledger'),
    append: (entry) =>
      translated(
        connection,
        async () => {
          await createLedger(connection, layout);
          // Under the publish lock, because an entry's number is the last one plus one.
          const statements = [takeLock(lockTable(connection, layout)), insertEntry(BIGQUERY, layout, entry)];
          await run(connection, transaction(statements), { runId: entry.runId });
        },
        'writing to the ledger',
      ),
    decide: (window, decide) =>
      translated(connection, () => decideUnderLock(connection, layout, window, decide), 'writing to the ledger'),
  };
}

/** Entries in the order they were written; empty if there is no ledger yet. */
export async function readEntries(connection: Connection, layout: TableLayout, filter: LedgerFilter): Promise<LedgerEntry[]> {
  if (!(await layoutExists(connection, layout))) return [];
  const found = await rows(connection, selectEntries(BIGQUERY, layout, filter));
  const position = new Map(layout.columns.map(({ name }, i) => [name, i]));
  return found.map((row) => readEntry((name) => row[position.get(name) ?? -1] ?? null));
}

/**
 * BigQuery has no lock that can be held while `decide` runs. Instead this reads the publish lock first and writes the entry
 * only if no other process took it since; otherwise it decides again on the new entries. So side effects of `decide` may
 * come from a run whose publication has been superseded meanwhile. The report file, which `decide` moves into place,
 * tolerates that: see `PendingFile`.
 */
async function decideUnderLock<T>(
  connection: Connection,
  layout: TableLayout,
  window: LedgerFilter,
  decide: Parameters<Ledger['decide']>[1],
): Promise<T> {
  await createLedger(connection, layout);
  const lock = lockTable(connection, layout);
  for (let failures = 1; failures <= MAX_DECISIONS; failures += 1) {
    // In this order: an entry written in between is either in the entries read next or changes the publish lock.
    const [[taken] = []] = await rows(connection, `SELECT CAST(taken AS STRING) FROM ${lock}`);
    const { append, result } = await decide(await readEntries(connection, layout, window));
    if (append === undefined) return result as T;
    const statements = [
      refuseUnless(`(SELECT taken FROM ${lock}) = ${taken}`, `'outdated decision'`),
      takeLock(lock),
      insertEntry(BIGQUERY, layout, append),
    ];
    try {
      await run(connection, transaction(statements), { runId: append.runId });
      return result as T;
    } catch (error) {
      if (refusalOf(error) === undefined) throw error;
      await sleep(Math.min(backoff(connection.timeouts, failures), connection.timeouts.poll), connection.signal);
    }
  }
  throw new ScoreBatchError('conflict', 'other runs keep writing to the ledger', {
    hint: 'check `score-batch status`, then run the same command again',
  });
}

async function createLedger(connection: Connection, layout: TableLayout): Promise<void> {
  await createLayout(connection, layout, ['job']);
  await createLock(connection, layout);
}
