import { currentPublication } from '../../domain/ledger.ts';
import type { Amendment } from '../publication-spec.ts';
import { replaceAmended } from '../sql/amendment.ts';
import { insertEntry } from '../sql/ledger.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { readEntries } from './ledger.ts';
import { transaction } from './publish.ts';
import { createTable, inCatalog } from './tables.ts';

/** The lock of the file is the publish lock. */
export async function amend(file: DuckdbFile, { entry, rows, ...tables }: Amendment): Promise<boolean> {
  return await withFile(file, 'write', (database) =>
    transaction(database, async () => {
      const [ledger, table] = [inCatalog(database, tables.ledger), inCatalog(database, tables.table)];
      const entries = await readEntries(database, ledger, { job: entry.job, window: entry.window });
      if (currentPublication(entries)?.runId !== entry.runId) return false;
      await createTable(database, table);
      for (const sql of replaceAmended(DUCKDB, { table, rows, entry })) await database.run(sql);
      await database.run(insertEntry(DUCKDB, ledger, entry));
      return true;
    }),
  );
}
