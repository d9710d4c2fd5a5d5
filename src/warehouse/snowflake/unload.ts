import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import type { FrozenChunk, FrozenTable } from '../../domain/frozen-table.ts';
import type { Database } from '../../duckdb/database.ts';
import { fileList, identifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import { ScoreBatchError } from '../../errors.ts';
import { RESUME } from '../errors.ts';
import { inChunk } from '../sql/frozen.ts';
import { literal, SNOWFLAKE } from './dialect.ts';
import { isMissing } from './errors.ts';
import { Failure } from './failure.ts';
import { tableIdentifier } from './names.ts';
import { queryTag } from './session.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';
import { makeStage } from './stages.ts';
import { type CarriedColumn, carried, fromText } from './transfer.ts';

// Opt-in, see `source.unload`: after the freeze, each chunk is unloaded to one Parquet file in a stage of the run, and a
// chunk worker reads that file instead of JSON rows. This follows Snowflake's documentation and has not run on a real
// account: https://docs.snowflake.com/en/sql-reference/sql/copy-into-location
// https://docs.snowflake.com/en/user-guide/data-unload-considerations
//
// Nothing records which chunks are unloaded. The frozen table does not change, file names contain its random id, and a file
// appears in the stage only when it is complete. So an existing file is the right one, and a process that misses one unloads
// it again. Two processes that do so at once write the same rows.

/**
 * Concurrent statements: half of what a virtual warehouse runs by default (MAX_CONCURRENCY_LEVEL). Each needs its own login.
 */
const CONCURRENCY = 4;

/** 5 GB, the maximum of MAX_FILE_SIZE. Its default of 16 MB also applies to SINGLE = TRUE. */
const MAX_FILE_SIZE = 5 * 2 ** 30;

/** A chunk of a frozen table. */
interface UnloadedChunk {
  readonly frozen: FrozenTable;
  /** Quoted name of the frozen table. */
  readonly table: string;
  readonly chunk: number;
  /** Row count taken when the chunk was frozen. */
  readonly rows: number;
}

/**
 * Unloads every chunk, once per frozen table.
 *
 * @param table quoted name of the frozen table
 * @throws ScoreBatchError `configuration` if a chunk is too large for one file
 */
export async function unloadChunks(snowflake: Snowflake, frozen: FrozenTable, table: string): Promise<void> {
  if (frozen.chunks.length === 0) return;
  await makeUnloadStage(snowflake, frozen.runId);
  const limit = pLimit(CONCURRENCY);
  const unloadOne = async ({ chunk, rows }: FrozenChunk): Promise<void> => {
    try {
      await unload(snowflake, { frozen, table, chunk, rows });
    } catch (error) {
      // Here, before the next one starts.
      limit.clearQueue();
      throw error;
    }
  };
  await Promise.all(frozen.chunks.map((chunk) => limit(unloadOne, chunk)));
}

/**
 * Reads an unloaded chunk into a temporary DuckDB table with the same columns, types and values as `readInto`. Unloads the
 * chunk first if its file is missing or has another number of rows. Removes the local copy afterwards.
 *
 * @returns number of rows
 * @throws ScoreBatchError `unavailable` if the file does not arrive, `configuration` if the chunk is too large for one file
 */
export async function readUnloaded(
  snowflake: Snowflake,
  unloaded: UnloadedChunk,
  database: Database,
  relation: string,
): Promise<number> {
  const columns = unloaded.frozen.columns.map(carried);
  // A folder of its own, because processes of one run on one machine share their work folder.
  const folder = await mkdtemp(path.join(database.temporary, 'unloaded-'));
  try {
    for (let again = false; ; again = true) {
      if (again) {
        await makeUnloadStage(snowflake, unloaded.frozen.runId);
        await unload(snowflake, unloaded);
      }
      const failure = await download(snowflake, unloaded, folder);
      if (failure !== undefined && again) throw failure;
      if (failure !== undefined) continue;
      const list = columns.map((column, i) => `${fromParquet(`c${i}`, column)} AS ${identifier(column.name)}`);
      await database.run(
        `CREATE OR REPLACE TEMP TABLE ${relation} AS SELECT ${list.join(', ')} FROM ${scan(path.join(folder, fileName(unloaded)))}`,
      );
      const [row] = await database.rows(`SELECT count(*) FROM ${relation}`);
      const read = Number(row?.[0]);
      if (again || read === unloaded.rows) return read;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A statement that unloads a query to one file and overwrites an existing one. A query without rows writes no file. */
export function copyInto(file: string, query: string): string {
  return `COPY INTO @${file} FROM (${query}) FILE_FORMAT = (TYPE = PARQUET COMPRESSION = SNAPPY)
    OVERWRITE = TRUE SINGLE = TRUE MAX_FILE_SIZE = ${MAX_FILE_SIZE} HEADER = TRUE`;
}

async function makeUnloadStage(snowflake: Snowflake, runId: string): Promise<void> {
  await makeStage(snowflake, 'unloaded', runId, '(chunk NUMBER(38,0))');
}

async function unload(snowflake: Snowflake, unloaded: UnloadedChunk): Promise<void> {
  const { frozen, table, chunk } = unloaded;
  const list = frozen.columns.map((column, i) => `${toParquet(carried(column))} AS ${SNOWFLAKE.identifier(`c${i}`)}`);
  const query = `SELECT ${list.join(', ')} FROM ${table} WHERE ${inChunk(frozen, chunk)}`;
  try {
    await run(snowflake, copyInto(stageFile(snowflake, unloaded), query), frozen.runId);
  } catch (error) {
    // The code is not documented; users have reported this message.
    if (!(error instanceof Failure) || !/exceeded for unload single file mode/i.test(error.message)) throw error;
    throw new ScoreBatchError('configuration', `chunk ${chunk} of the window takes more than 5 GB as a Parquet file`, {
      hint: 'lower score.chunk_rows, or remove source.unload',
      cause: error,
    });
  }
}

/** Downloads the file; the driver decrypts it. @returns an error if the file did not arrive */
async function download(snowflake: Snowflake, unloaded: UnloadedChunk, folder: string): Promise<ScoreBatchError | undefined> {
  const { client, job } = snowflake;
  const sql = `GET @${stageFile(snowflake, unloaded)} ${literal(`file://${folder}`)}`;
  const statement = { tag: queryTag(job, unloaded.frozen.runId), within: client.timeouts.upload };
  let rows: Awaited<ReturnType<typeof run>> = [];
  try {
    rows = await client.use((session) => session.rows(sql, statement));
  } catch (error) {
    // The stage is created at the first unload, and may have been dropped since.
    if (!isMissing(error)) throw error;
  }
  // Columns: file, size, status, message. No row if the stage has no such file. Messages can contain signed URLs.
  if (rows.some((row) => row.includes('DOWNLOADED'))) return undefined;
  const isFull = rows.some((row) => row.some((cell) => cell?.includes('ENOSPC')));
  return new ScoreBatchError('unavailable', `could not download ${fileName(unloaded)} from the stage of the run`, {
    details: isFull ? [`no space left in ${folder} or in the folder for temporary files (ENOSPC)`] : [],
    hint: isFull ? 'free some space or set TMPDIR to a folder with more, then run the same command again' : RESUME,
  });
}

function stageFile(snowflake: Snowflake, unloaded: UnloadedChunk): string {
  return `${tableIdentifier(scratchName(snowflake, 'unloaded', unloaded.frozen.runId))}/${fileName(unloaded)}`;
}

/** GET matches by prefix; with the extension, no other file matches. */
function fileName({ frozen, chunk }: UnloadedChunk): string {
  return `chunk-${chunk}-${frozen.id}.parquet`;
}

function scan(file: string): string {
  return `read_parquet(${fileList([file])}, hive_partitioning = false, binary_as_string = true)`;
}

/**
 * Expression that unloads a column. Numbers become DECIMAL or DOUBLE, or a smaller type that holds all values of the file
 * (ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION). Snowflake refuses TIMESTAMP_TZ and TIMESTAMP_LTZ, and does not document the
 * precision of an unloaded TIMESTAMP_NTZ. So times are unloaded as the text that the row path reads.
 */
function toParquet(column: CarriedColumn): string {
  const name = SNOWFLAKE.identifier(column.name);
  return isTime(column) ? SNOWFLAKE.text(name, column) : name;
}

/** DuckDB expression for an unloaded value, with exactly the type that the row path has. */
function fromParquet(cell: string, column: CarriedColumn): string {
  return isTime(column) ? fromText(cell, column) : `CAST(${cell} AS ${duckdbType(column)})`;
}

function isTime({ type }: CarriedColumn): boolean {
  return type === 'date' || type === 'datetime' || type === 'timestamp';
}
