import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checksumOf } from '../../domain/checksum.ts';
import type { FrozenChunk, FrozenTable } from '../../domain/frozen-table.ts';
import type { Query } from '../../domain/query.ts';
import type { Column } from '../../domain/schema.ts';
import type { Database } from '../../duckdb/database.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { identifier, literal, parquetScan } from '../../duckdb/sql.ts';
import { systemCode } from '../../errors.ts';
import { checksumSums } from '../sql/dialect.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { FreezeOptions } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { queryError } from './errors.ts';
import { type DuckdbFile, withFile, withMemory } from './file.ts';
import { hashOfKey } from './key-hash.ts';
import { renderQuery } from './query.ts';
import { countRows } from './row-count.ts';
import { makeRunFolder, runFolder } from './scratch.ts';

const MANIFEST = 'frozen.json';
const CHUNK = 'score_batch_chunk';
/** Written once, read twice and dropped: looking for dictionaries and compressing costs twice what writing more bytes does. */
const PLAIN = 'COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1';

/**
 * Writes the query's rows as Parquet files, one folder per chunk, beside the database: a table in the same file would hold
 * the file's lock for as long as it is written and took twice the time. Complete once the folder has its final name.
 */
export async function freeze(file: DuckdbFile, query: Query, options: FreezeOptions): Promise<FrozenTable> {
  const final = frozenFolder(file, options.runId);
  const existing = await readFrozen(file, options.runId);
  if (existing) return existing;
  const folder = await makeRunFolder(file, options.runId, `freezing-${randomBytes(4).toString('hex')}`);
  try {
    const divisions = await withFile(file, 'read', async (database) => {
      try {
        return await copyChunks(database, query, options, folder);
      } catch (error) {
        throw queryError(duckdbError(error, file.scratch), query.name);
      }
    });
    const { runId, columns, hash } = options;
    const frozen: FrozenTable = { runId, columns, divisions, hash, ...(await countChunks(file, folder, options)) };
    await writeFile(path.join(folder, MANIFEST), JSON.stringify(frozen));
    // One that is there and could not be read is damaged; rows that were scored from it are not gone on with.
    if (existsSync(path.join(final, MANIFEST)) && !(await readFrozen(file, runId))) await rm(final, { recursive: true });
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

async function copyChunks(
  database: Database,
  query: Query,
  { key, columns, chunkRows, hash }: FreezeOptions,
  folder: string,
): Promise<number> {
  const { sql, values } = renderQuery(query);
  const [row] = await database.rows(`SELECT count(*) FROM ${asSubquery(sql)}`, values);
  const divisions = Math.max(1, Math.ceil(Number(row?.[0]) / chunkRows));
  // Order inside a chunk means nothing, and keeping it would hold whole row groups back in memory.
  await database.run('SET preserve_insertion_order = false');
  await database.run(
    `COPY (
       SELECT ${columns.map(selected).join(', ')}, ${hashOfKey(hash, key)} % ${divisions} AS ${CHUNK}
       FROM ${asSubquery(sql)}
     ) TO ${literal(folder)} (FORMAT parquet, PARTITION_BY (${CHUNK}), OVERWRITE_OR_IGNORE true, ${PLAIN})`,
    values,
  );
  return divisions;
}

/** The run's frozen table where it is there with all its rows: a machine that lost power may have lost what was written last. */
export async function readFrozen(file: DuckdbFile, runId: string): Promise<FrozenTable | undefined> {
  const folder = frozenFolder(file, runId);
  try {
    const frozen = JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')) as FrozenTable;
    const files = (await chunkFolders(folder)).flatMap(({ files }) => files);
    return (await countRows(file, files)) === frozen.rows ? frozen : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Parquet files of one chunk, in the order in which their rows count. */
export function frozenFiles(file: DuckdbFile, runId: string, chunk: number): Promise<string[]> {
  return filesIn(path.join(frozenFolder(file, runId), `${CHUNK}=${chunk}`));
}

async function chunkFolders(folder: string): Promise<{ chunk: number; files: string[] }[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${CHUNK}=`));
  return await Promise.all(
    names.map(async (name) => ({ chunk: Number(name.slice(CHUNK.length + 1)), files: await filesIn(path.join(folder, name)) })),
  );
}

async function filesIn(folder: string): Promise<string[]> {
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
  { key, hash }: Pick<FreezeOptions, 'key' | 'hash'>,
): Promise<{ chunks: FrozenChunk[]; rows: number }> {
  const folders = (await chunkFolders(folder)).sort((a, b) => a.chunk - b.chunk);
  const sums = checksumSums(DUCKDB, hashOfKey(hash, key)).join(', ');
  const chunks = await withMemory(file, async (database) => {
    const counted: FrozenChunk[] = [];
    // Chunk by chunk: taking the number from the path would also take columns from folders above that look like k=v.
    for (const { chunk, files } of folders) {
      const [row] = await database.rows(`SELECT count(*), ${sums} FROM ${parquetScan(files)}`);
      counted.push({ chunk, rows: Number(row?.[0]), checksum: checksumOf(row?.[1], row?.[2]) });
    }
    return counted;
  });
  return { chunks, rows: chunks.reduce((sum, { rows }) => sum + rows, 0) };
}
