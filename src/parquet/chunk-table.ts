import type { ColumnBatch, ColumnKind } from '../domain/column-batch.ts';
import type { Column } from '../domain/schema.ts';
import { stagedKey } from '../domain/staged-columns.ts';
import { PHYSICAL_TYPE, readBatches } from '../duckdb/batches.ts';
import type { Database } from '../duckdb/database.ts';
import { identifier } from '../duckdb/sql.ts';

// A source puts the frozen chunk into a worker's in-memory DuckDB as `chunk` (see `Source.loadChunk`). Its columns that only
// pass through (key, kept) never become JavaScript values.

/**
 * The feature columns of the chunk, cast to the kinds that the encoder reads. With one thread DuckDB keeps the order of the
 * rows, and `writeScoredFile` relies on it to put each score beside its row.
 */
export function readFeatures(
  database: Database,
  columns: readonly Column[],
  kinds: readonly ColumnKind[],
): AsyncIterable<ColumnBatch> {
  const list = columns.map(({ name }, i) => `CAST(${identifier(name)} AS ${PHYSICAL_TYPE[kinds[i] ?? 'string']})`);
  return readBatches(database, `SELECT ${list.join(', ')} FROM chunk`);
}

/** Collects the keys that occur more than once in the chunk; the hash of a key decides its chunk, so this finds them all. */
export async function findDuplicates(database: Database, key: readonly Column[]): Promise<number> {
  const names = key.map(({ name }) => identifier(name));
  const present = names.map((name) => `${name} IS NOT NULL`).join(' AND ');
  await database.run(
    `CREATE OR REPLACE TEMP TABLE duplicates AS
     SELECT ${names.map((name, i) => `${name} AS ${stagedKey(i)}`).join(', ')}
     FROM chunk WHERE ${present} GROUP BY ALL HAVING count(*) > 1`,
  );
  const [row] = await database.rows('SELECT count(*) FROM duplicates');
  return Number(row?.[0]);
}
