import type { AgedRows } from '../publication-spec.ts';
import { deleteBoundaries } from '../sql/boundary.ts';
import { dropAged } from '../sql/replaced.ts';
import type { BoundaryRows } from '../view-spec.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { transaction } from './publish.ts';
import { inCatalog } from './tables.ts';

/** The lock of the file is the publish lock. */
export async function dropReplaced(file: DuckdbFile, { tables, job, before }: AgedRows): Promise<void> {
  await withFile(file, 'write', (database) =>
    transaction(database, async () => {
      for (const table of tables) await database.run(dropAged(DUCKDB, inCatalog(database, table), job, before));
    }),
  );
}

/** See `dropReplaced`. */
export async function dropBoundaries(file: DuckdbFile, rows: BoundaryRows): Promise<void> {
  await withFile(file, 'write', async (database) => {
    const { name } = inCatalog(database, { name: rows.table, columns: [] });
    await database.run(deleteBoundaries(DUCKDB, name, rows));
  });
}
