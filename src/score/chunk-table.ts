import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import type { Column } from '../domain/schema.ts';
import { stagedKey } from '../domain/staged-columns.ts';
import { PHYSICAL_TYPE, readBatches } from '../duckdb/batches.ts';
import type { Database } from '../duckdb/database.ts';
import { identifier } from '../duckdb/sql.ts';

// A source loads the frozen chunk into a worker's in-memory DuckDB as `chunk` (see `Source.loadChunk`). Key and kept columns
// never become JavaScript values.

/**
 * The feature columns of the chunk, cast to the kinds that the encoder reads. With one thread DuckDB preserves the order of the
 * rows. `writeScoredFile` relies on it to match scores with rows.
 */
export function readFeatures(
  database: Database,
  columns: readonly Column[],
  kinds: readonly ReadKind[],
): AsyncIterable<ColumnBatch> {
  const list = columns.map(({ name }, i) => `CAST(${identifier(name)} AS ${PHYSICAL_TYPE[kinds[i] ?? 'string']})`);
  return readBatches(database, `SELECT ${list.join(', ')} FROM chunk`);
}

/**
 * Makes a table `duplicates` with the chunk's keys that occur more than once in the window.
 *
 * @param known number of such keys in the window, listed in the relation `repeated`; undefined if a chunk has all rows of its keys
 * @returns number of such keys in the chunk
 */
export async function findDuplicates(database: Database, key: readonly Column[], known: number | undefined): Promise<number> {
  if (known === 0) return 0;
  const names = key.map(({ name }) => identifier(name));
  const staged = names.map((name, i) => `${name} AS ${stagedKey(i)}`).join(', ');
  const present = names.map((name) => `${name} IS NOT NULL`).join(' AND ');
  const keys =
    known === undefined
      ? `SELECT ${staged} FROM chunk WHERE ${present} GROUP BY ALL HAVING count(*) > 1`
      : `SELECT DISTINCT * FROM (SELECT ${staged} FROM chunk) AS keys SEMI JOIN repeated USING (${key.map((_, i) => stagedKey(i)).join(', ')})`;
  await database.run(`CREATE OR REPLACE TEMP TABLE duplicates AS ${keys}`);
  const [row] = await database.rows('SELECT count(*) FROM duplicates');
  return Number(row?.[0]);
}
