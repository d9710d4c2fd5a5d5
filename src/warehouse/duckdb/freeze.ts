import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FrozenChunk, FrozenTable } from '../../domain/frozen-table.ts';
import type { Query } from '../../domain/query.ts';
import type { Column } from '../../domain/schema.ts';
import type { Database } from '../../duckdb/database.ts';
import { exactPath, identifier, literal } from '../../duckdb/sql.ts';
import { systemCode } from '../../errors.ts';
import type { FreezeOptions } from '../warehouse.ts';
import { duckdbError, queryError } from './errors.ts';
import { type DuckdbFile, withFile, withMemory } from './file.ts';
import { keyHash } from './key.ts';
import { asSubquery, renderQuery } from './query.ts';
import { makeRunFolder, runFolder } from './scratch.ts';

const MANIFEST = 'frozen.json';
const CHUNK = 'score_batch_chunk';

/**
 * Writes the query's rows as Parquet files, one folder per chunk, beside the database: a table in the same file would hold
 * the file's lock for as long as it is written and took twice the time. Complete once the folder has its final name.
 */
export async function freeze(file: DuckdbFile, query: Query, options: FreezeOptions): Promise<FrozenTable> {
  const existing = await readFrozen(file, options.runId);
  if (existing) return existing;
  const folder = await makeRunFolder(file, options.runId, options.job, `freezing-${randomBytes(4).toString('hex')}`);
  await withFile(file, 'read', async (database) => {
    try {
      await copyChunks(database, query, options, folder);
    } catch (error) {
      throw queryError(duckdbError(error, file.scratch), query.name);
    }
  });
  const frozen: FrozenTable = {
    runId: options.runId,
    location: frozenFolder(file, options.runId),
    columns: options.columns,
    ...(await countChunks(file, folder, options.key)),
  };
  await writeFile(path.join(folder, MANIFEST), JSON.stringify(frozen));
  try {
    await rename(folder, frozenFolder(file, options.runId));
    return frozen;
  } catch (error) {
    // Another process of the same run was faster; its rows are the run's rows.
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
    await rm(folder, { recursive: true, force: true });
    return (await readFrozen(file, options.runId)) ?? frozen;
  }
}

async function copyChunks(
  database: Database,
  query: Query,
  { key, columns, chunkRows }: FreezeOptions,
  folder: string,
): Promise<void> {
  const { sql, values } = renderQuery(query);
  const [row] = await database.rows(`SELECT count(*) FROM ${asSubquery(sql)}`, values);
  const chunks = Math.max(1, Math.ceil(Number(row?.[0]) / chunkRows));
  // Order inside a chunk means nothing, and keeping it would hold whole row groups back in memory.
  await database.run('SET preserve_insertion_order = false');
  await database.run(
    `COPY (
       SELECT ${columns.map(selected).join(', ')}, ${keyHash(key.map(({ name }) => name))} % ${chunks} AS ${CHUNK}
       FROM ${asSubquery(sql)}
     ) TO ${literal(folder)} (FORMAT parquet, PARTITION_BY (${CHUNK}), OVERWRITE_OR_IGNORE true)`,
    values,
  );
}

export async function readFrozen(file: DuckdbFile, runId: string): Promise<FrozenTable | undefined> {
  try {
    return JSON.parse(await readFile(path.join(frozenFolder(file, runId), MANIFEST), 'utf8')) as FrozenTable;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Parquet files of one chunk, in the order in which their rows count. */
export async function frozenFiles(file: DuckdbFile, runId: string, chunk: number): Promise<string[]> {
  const folder = path.join(frozenFolder(file, runId), `${CHUNK}=${chunk}`);
  return (await readdir(folder)).sort().map((name) => path.join(folder, name));
}

function frozenFolder(file: DuckdbFile, runId: string): string {
  return path.join(runFolder(file, runId), 'frozen');
}

/** As the query gives it, but for what Parquet would change: it has no 128-bit integer (and makes it a double), and no enum. */
function selected({ name, native, type }: Column): string {
  const quoted = identifier(name);
  if (native === 'HUGEINT') return `CAST(${quoted} AS DECIMAL(38, 0)) AS ${quoted}`;
  return type === 'string' ? `CAST(${quoted} AS VARCHAR) AS ${quoted}` : quoted;
}

/** Counted from the files, not from the query: the numbers that reconcile compares come from what is frozen. */
async function countChunks(
  file: DuckdbFile,
  folder: string,
  key: readonly Column[],
): Promise<{ chunks: FrozenChunk[]; rows: number }> {
  await mkdir(folder, { recursive: true });
  if (!(await readdir(folder)).some((name) => name.startsWith(CHUNK))) return { chunks: [], rows: 0 };
  const glob = literal(path.join(exactPath(folder), '*', '*.parquet'));
  const counted = await withMemory(file, (database) =>
    database.rows(
      `SELECT CAST(${CHUNK} AS INTEGER), count(*), CAST(sum(${keyHash(key.map(({ name }) => name))}) AS VARCHAR)
       FROM read_parquet(${glob}, hive_partitioning = true) GROUP BY 1 ORDER BY 1`,
    ),
  );
  const chunks = counted.map(([chunk, rows, checksum]) => ({
    chunk: Number(chunk),
    rows: Number(rows),
    checksum: String(checksum),
  }));
  return { chunks, rows: chunks.reduce((sum, { rows }) => sum + rows, 0) };
}
