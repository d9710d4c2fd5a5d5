import type { LedgerEntry } from '../../domain/ledger.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { LedgerFilter } from '../ledger-filter.ts';
import { insertEntry, selectEntries } from '../sql/ledger.ts';
import { readEntry } from '../sql/ledger-entry.ts';
import type { Ledger } from '../warehouse.ts';
import { SNOWFLAKE } from './dialect.ts';
import { isMissing } from './errors.ts';
import { silence } from './failure.ts';
import { lockTable, withPublishLock } from './publish-lock.ts';
import { queryTag, type Session } from './session.ts';
import { inAccount, type Snowflake, translated } from './snowflake.ts';
import { ensureLock, ensureTable } from './tables.ts';

/** @param snowflake with a signal that aborts late, so that the outcome is recorded even if a signal has ended the run */
export function snowflakeLedger(snowflake: Snowflake, layout: TableLayout): Ledger {
  const table = inAccount(snowflake, layout);
  const lock = lockTable(snowflake, table);
  const make = async () => {
    // Before the transaction, because DDL would commit it.
    await ensureTable(snowflake, table);
    await ensureLock(snowflake, lock);
  };
  /** @throws Failure that restarts the transaction if Snowflake has ended it */
  const insert = async (session: Session, entry: LedgerEntry, fence: string) => {
    const [inserted] = await session.rows(`${insertEntry(SNOWFLAKE, table, entry)} HAVING ${fence}`);
    if (inserted?.[0] === '0') throw silence('Snowflake ended the transaction while this process was suspended');
  };
  return {
    entries: (filter) =>
      translated(
        snowflake,
        async () => {
          try {
            return await snowflake.client.use((session) => readEntries(session, snowflake, table, filter));
          } catch (error) {
            if (isMissing(error)) return [];
            throw error;
          }
        },
        'reading the ledger',
      ),
    append: (entry) =>
      translated(
        snowflake,
        async () => {
          await make();
          await withPublishLock(snowflake, lock, entry.runId, async (session, { fence }) => {
            await insert(session, entry, fence);
            return { commit: true, result: undefined };
          });
        },
        'writing to the ledger',
      ),
    decide: (window, decide) =>
      translated(
        snowflake,
        async () => {
          await make();
          let last: Awaited<ReturnType<typeof decide>> | undefined;
          return await withPublishLock(snowflake, lock, undefined, async (session, { commitUnknown, fence }) => {
            const entries = await readEntries(session, snowflake, table, window);
            // The previous COMMIT had no answer. If its entry exists, that decision stands.
            const appended = last?.append;
            if (commitUnknown && last && appended && entries.some((entry) => isSame(entry, appended))) {
              return { commit: false, result: last.result };
            }
            last = await decide(entries);
            if (last.append) await insert(session, last.append, fence);
            return { commit: last.append !== undefined, result: last.result };
          });
        },
        'writing to the ledger',
      ),
  };
}

/** Entries in the order they were written. */
export async function readEntries(
  session: Session,
  { job }: Snowflake,
  table: TableLayout,
  filter: LedgerFilter,
): Promise<LedgerEntry[]> {
  const rows = await session.rows(selectEntries(SNOWFLAKE, table, filter), { tag: queryTag(job) });
  const position = new Map(table.columns.map(({ name }, i) => [name, i]));
  return rows.map((row) => readEntry((name) => row[position.get(name) ?? -1] ?? null));
}

export function isSame(entry: LedgerEntry, other: LedgerEntry | undefined): boolean {
  return entry.runId === other?.runId && entry.state === other.state && entry.recordedAt === other.recordedAt;
}
