import { existsSync } from 'node:fs';
import type { LedgerEntry } from '../../domain/ledger.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Database } from '../../duckdb/database.ts';
import type { LedgerFilter } from '../ledger-filter.ts';
import { insertEntry, selectEntries } from '../sql/ledger.ts';
import { readEntry } from '../sql/ledger-entry.ts';
import type { Ledger } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { createTable, inCatalog, tableExists } from './tables.ts';

export function duckdbLedger(warehouse: DuckdbFile, layout: TableLayout): Ledger {
  // The outcome is recorded even if a signal has just ended the run.
  const file = { ...warehouse, signal: new AbortController().signal };
  return {
    async entries(filter) {
      if (!existsSync(file.path)) return [];
      return await withFile(file, 'read', (database) => readEntries(database, inCatalog(database, layout), filter));
    },
    append: (entry) =>
      withFile(file, 'write', async (database) => {
        const table = inCatalog(database, layout);
        await createTable(database, table);
        await database.run(insertEntry(DUCKDB, table, entry));
      }),
    // The file stays open for writing, which only one process can do at a time.
    decide: (window, decide) =>
      withFile(file, 'write', async (database) => {
        const table = inCatalog(database, layout);
        await createTable(database, table);
        const { append, result } = await decide(await readEntries(database, table, window));
        if (append) await database.run(insertEntry(DUCKDB, table, append));
        return result;
      }),
  };
}

/** Entries in the order they were written; empty if there is no ledger yet. */
export async function readEntries(database: Database, layout: TableLayout, filter: LedgerFilter): Promise<LedgerEntry[]> {
  if (!(await tableExists(database, layout.name))) return [];
  const rows = await database.rows(selectEntries(DUCKDB, layout, filter));
  const position = new Map(layout.columns.map(({ name }, i) => [name, i]));
  return rows.map((row) => readEntry((name) => (row[position.get(name) ?? -1] ?? null) as string | null));
}
