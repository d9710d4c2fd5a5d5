import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checksumOf } from '../../domain/checksum.ts';
import { chunksFor, type FrozenChunk, type FrozenTable } from '../../domain/frozen-table.ts';
import type { Query } from '../../domain/query.ts';
import type { Database } from '../../duckdb/database.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { literal } from '../../duckdb/sql.ts';
import { systemCode } from '../../errors.ts';
import { checksumSums } from '../sql/dialect.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { FreezeOptions } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { queryError } from './errors.ts';
import { type DuckdbFile, withFile, withMemory } from './file.ts';
import { frozenColumns, frozenRows, ROW_NUMBER, repeatedKeys } from './frozen-rows.ts';
import { hashOfKey } from './key-hash.ts';
import { PLAIN } from './plain.ts';
import { renderQuery } from './query.ts';
import { countRows } from './row-count.ts';
import { makeRunFolder, runFolder } from './scratch.ts';

const MANIFEST = 'frozen.json';
const ROWS = 'rows.parquet';
const REPEATED = 'repeated.parquet';

/**
 * Writes the query's rows as one Parquet file beside the database, of which a chunk is a range of rows: a table in the same
 * file would hold the file's lock for as long as it is written and took twice the time, and a file per chunk, filled by a hash
 * of the key, costs the more for a row the more chunks there are. Complete once the folder has its final name.
 */
export async function freeze(file: DuckdbFile, query: Query, options: FreezeOptions): Promise<FrozenTable> {
  const final = frozenFolder(file, options.runId);
  const existing = await readFrozen(file, options.runId);
  if (existing) return existing;
  const folder = await makeRunFolder(file, options.runId, `freezing-${randomBytes(4).toString('hex')}`);
  try {
    await withFile(file, 'read', async (database) => {
      try {
        await copyRows(database, query, options, folder);
      } catch (error) {
        throw queryError(duckdbError(error, file.scratch), query.name);
      }
    });
    const frozen = await withMemory(file, (database) => countFrozen(database, folder, options));
    await writeFile(path.join(folder, MANIFEST), JSON.stringify(frozen));
    // One that is there and could not be read is damaged; rows that were scored from it are not gone on with.
    if (existsSync(path.join(final, MANIFEST)) && !(await readFrozen(file, options.runId)))
      await rm(final, { recursive: true });
    await rename(folder, final);
    return frozen;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    // Another process of the same run was faster; its rows are the run's rows.
    const other = isTaken(error) ? await readFrozen(file, options.runId) : undefined;
    if (other) return other;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return systemCode(error) === 'ENOTEMPTY' || systemCode(error) === 'EEXIST';
}

async function copyRows(database: Database, query: Query, { columns }: FreezeOptions, folder: string): Promise<void> {
  const { sql, values } = renderQuery(query);
  // Which row is in which chunk means nothing, and keeping the order would hold whole row groups back in memory.
  await database.run('SET preserve_insertion_order = false');
  await database.run(
    `COPY (SELECT ${frozenColumns(columns).join(', ')} FROM ${asSubquery(sql)})
     TO ${literal(path.join(folder, ROWS))} (FORMAT parquet, ${PLAIN})`,
    values,
  );
}

/** Counted from the file, not from the query: the numbers that reconcile compares come from what is frozen. */
async function countFrozen(database: Database, folder: string, options: FreezeOptions): Promise<FrozenTable> {
  const { runId, columns, key, hash } = options;
  const file = path.join(folder, ROWS);
  const [counted] = await database.rows(`SELECT count(*) FROM ${frozenRows(file, columns)}`);
  const rows = Number(counted?.[0]);
  const divisions = chunksFor(rows, options);
  const size = Math.max(1, Math.ceil(rows / divisions));
  const sums = checksumSums(DUCKDB, hashOfKey(hash, key));
  const repeated = path.join(folder, REPEATED);
  await database.run(`COPY (${repeatedKeys(file, columns, key)}) TO ${literal(repeated)} (FORMAT parquet)`);
  const [duplicates] = await database.rows(`SELECT count(*) FROM read_parquet(${literal(repeated)})`);
  const chunks: FrozenChunk[] = (
    await database.rows(
      `SELECT ${ROW_NUMBER} // ${size} AS part, count(*), ${sums.join(', ')} FROM ${frozenRows(file, columns)} GROUP BY part ORDER BY part`,
    )
  ).map(([chunk, count, high, low]) => ({ chunk: Number(chunk), rows: Number(count), checksum: checksumOf(high, low) }));
  return { runId, columns, divisions, hash, chunks, rows, duplicates: Number(duplicates?.[0]) };
}

/** The run's frozen table where it is there with all its rows: a machine that lost power may have lost what was written last. */
export async function readFrozen(file: DuckdbFile, runId: string): Promise<FrozenTable | undefined> {
  const folder = frozenFolder(file, runId);
  try {
    const frozen = JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')) as FrozenTable;
    const rows = await countRows(file, [path.join(folder, ROWS)]);
    const repeated = await countRows(file, [path.join(folder, REPEATED)]);
    return rows === frozen.rows && repeated === frozen.duplicates ? frozen : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Makes the chunk the view `chunk`, and the keys that occur more than once in the window the view `repeated`; with one thread
 * DuckDB keeps the order of the rows, however often they are read.
 */
export async function viewChunk(file: DuckdbFile, frozen: FrozenTable, chunk: number, database: Database): Promise<void> {
  const folder = frozenFolder(file, frozen.runId);
  const index = frozen.chunks.findIndex((other) => other.chunk === chunk);
  const first = frozen.chunks.slice(0, index).reduce((sum, { rows }) => sum + rows, 0);
  const last = first + (frozen.chunks[index]?.rows ?? 0) - 1;
  await database.run(
    `CREATE OR REPLACE TEMP VIEW chunk AS SELECT * EXCLUDE (${ROW_NUMBER})
     FROM ${frozenRows(path.join(folder, ROWS), frozen.columns)} WHERE ${ROW_NUMBER} BETWEEN ${first} AND ${last}`,
  );
  await database.run(
    `CREATE OR REPLACE TEMP VIEW repeated AS SELECT * FROM read_parquet(${literal(path.join(folder, REPEATED))})`,
  );
}

function frozenFolder(file: DuckdbFile, runId: string): string {
  return path.join(runFolder(file, runId), 'frozen');
}
