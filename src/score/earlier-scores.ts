import type { Column } from '../domain/schema.ts';
import { SKIP_KEY, stagedKey } from '../domain/staged-columns.ts';
import { SCORE_SCALE } from '../domain/tables.ts';
import { readBatches } from '../duckdb/batches.ts';
import type { Database } from '../duckdb/database.ts';
import { identifier, parquetScan } from '../duckdb/sql.ts';
import { DUCKDB } from '../warehouse/duckdb/dialect.ts';
import { keyHash } from '../warehouse/sql/dialect.ts';
import { emptySkipKeys, type SkipKeys } from './skip-keys.ts';

/** The earlier score per row of a chunk, in the chunk's order. */
export interface EarlierScores {
  readonly skipKeys: SkipKeys;
  /** Millionths; -1 for a row without an earlier score. */
  readonly scores: Int32Array;
}

export interface EarlierFile {
  /** See `SliceSetup`; undefined for none. */
  readonly file: string | undefined;
  readonly key: readonly Column[];
  /** Number of rows of the relation `chunk`. */
  readonly rows: number;
  /** Number of keys in the table `duplicates`: they are quarantined, so they keep no score. */
  readonly duplicates: number;
}

/**
 * Finds the earlier scores of the chunk loaded as `chunk`. With one thread, DuckDB numbers its rows in order. Rows are found by
 * the hash of their key, which saves memory. Colliding hashes do no harm: a score is only taken if the skip keys are equal,
 * too.
 */
export async function findEarlier(
  database: Database,
  { file, key, rows, duplicates }: EarlierFile,
): Promise<EarlierScores | undefined> {
  if (file === undefined) return undefined;
  const found: EarlierScores = { skipKeys: emptySkipKeys(rows), scores: new Int32Array(rows).fill(-1) };
  const names = key.map((_, i) => stagedKey(i));
  const passed = duplicates === 0 ? [] : key.map(({ name }, i) => `${identifier(name)} AS ${names[i]}`);
  const placed = [...passed, `${keyHash(DUCKDB, key)} AS key_hash`, 'row_number() OVER () - 1 AS place'];
  const isDuplicate = names.map((name) => `duplicates.${name} = placed.${name}`).join(' AND ');
  const batches = readBatches(
    database,
    `SELECT CAST(placed.place AS DOUBLE), earlier.${SKIP_KEY}, CAST(earlier.score * ${10 ** SCORE_SCALE} AS DOUBLE)
     FROM (SELECT ${placed.join(', ')} FROM chunk) AS placed
       JOIN ${parquetScan([file])} AS earlier ON earlier.key_hash = placed.key_hash
     WHERE earlier.${SKIP_KEY} IS NOT NULL AND earlier.score IS NOT NULL
       ${duplicates === 0 ? '' : `AND NOT EXISTS (SELECT 1 FROM duplicates WHERE ${isDuplicate})`}`,
  );
  for await (const { rows: count, columns } of batches) {
    const [places, keys, scores] = columns.map(({ values }) => values) as [Float64Array, BigInt64Array, Float64Array];
    // The lower half of each key comes first.
    const halves = new Int32Array(keys.buffer, keys.byteOffset, 2 * count);
    for (let i = 0; i < count; i += 1) {
      const row = places[i] as number;
      found.skipKeys.low[row] = halves[2 * i] as number;
      found.skipKeys.high[row] = halves[2 * i + 1] as number;
      found.scores[row] = scores[i] as number;
    }
  }
  return found;
}
