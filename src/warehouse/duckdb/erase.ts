import type { ErasureSpec } from '../erasure.ts';
import { countEntries, eraseRows } from '../sql/erase.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { transaction } from './publish.ts';
import { inCatalog } from './tables.ts';

/** The lock of the file is the publish lock. */
export async function erase(file: DuckdbFile, erasure: ErasureSpec): Promise<boolean> {
  return await withFile(file, 'write', (database) =>
    transaction(database, async () => {
      const spec = { ...erasure, ledger: inCatalog(database, erasure.ledger) };
      const [[entries] = []] = await database.rows(`SELECT ${countEntries(DUCKDB, spec)}`);
      if (Number(entries) !== spec.seen) return false;
      for (const sql of eraseRows(DUCKDB, spec)) await database.run(sql);
      return true;
    }),
  );
}
