import type { LedgerEntry } from '../../domain/ledger.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { insertEntry, selectEntries, toEntry } from '../sql/ledger.ts';
import type { Ledger, LedgerFilter } from '../warehouse.ts';
import { SNOWFLAKE } from './dialect.ts';
import { isMissing } from './errors.ts';
import { gateName, throughGate } from './gate.ts';
import { queryTag, type Session } from './session.ts';
import { inAccount, type Snowflake, translated } from './snowflake.ts';
import { ensureGate, ensureTable } from './tables.ts';

/** @param snowflake with a signal that is never aborted: what happened is written down even when a signal has ended the run */
export function snowflakeLedger(snowflake: Snowflake, layout: TableLayout): Ledger {
  const table = inAccount(snowflake, layout);
  const gate = gateName(snowflake, table);
  const make = async () => {
    // Before a transaction: DDL would commit it.
    await ensureTable(snowflake, table);
    await ensureGate(snowflake, gate);
  };
  return {
    entries: (filter) =>
      translated(snowflake, async () => {
        try {
          return await snowflake.client.use((session) => readEntries(session, snowflake, table, filter));
        } catch (error) {
          if (isMissing(error)) return [];
          throw error;
        }
      }),
    append: (entry) =>
      translated(snowflake, async () => {
        await make();
        await throughGate(snowflake, gate, entry.runId, async (session) => {
          await session.rows(insertEntry(SNOWFLAKE, table, entry));
          return { commit: true, result: undefined };
        });
      }),
    decide: (window, decide) =>
      translated(snowflake, async () => {
        await make();
        let appended: LedgerEntry | undefined;
        return await throughGate(snowflake, gate, undefined, async (session, doubtful) => {
          const entries = await readEntries(session, snowflake, table, window);
          // An entry whose COMMIT had no answer may be there; it is not written twice.
          const there = doubtful && appended !== undefined && entries.some((entry) => isSame(entry, appended));
          const { append, result } = await decide(there ? entries.filter((entry) => !isSame(entry, appended)) : entries);
          appended = append;
          if (append && !there) await session.rows(insertEntry(SNOWFLAKE, table, append));
          return { commit: append !== undefined && !there, result };
        });
      }),
  };
}

/** Entries in the order in which they were written. */
export async function readEntries(
  session: Session,
  { job }: Snowflake,
  table: TableLayout,
  filter: LedgerFilter,
): Promise<LedgerEntry[]> {
  const rows = await session.rows(selectEntries(SNOWFLAKE, table, filter), { tag: queryTag(job) });
  const position = new Map(table.columns.map(({ name }, i) => [name, i]));
  return rows.map((row) => toEntry((name) => row[position.get(name) ?? -1] ?? null));
}

function isSame(entry: LedgerEntry, other: LedgerEntry | undefined): boolean {
  return entry.runId === other?.runId && entry.state === other.state && entry.recordedAt === other.recordedAt;
}
