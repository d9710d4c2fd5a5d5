import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { FrozenTable } from '../../domain/frozen-table.ts';
import type { Database } from '../../duckdb/database.ts';
import { fileList, identifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import { ScoreBatchError } from '../../errors.ts';
import { inChunk } from '../sql/frozen.ts';
import { literal, SNOWFLAKE } from './dialect.ts';
import { isMissing } from './errors.ts';
import { Failure } from './failure.ts';
import { tableIdentifier } from './names.ts';
import { queryTag } from './session.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';
import { makeStage } from './stages.ts';
import { type CarriedColumn, carried, fromText } from './transfer.ts';

// Opt-in, see `source.unload`: after the freeze each chunk is unloaded to one Parquet file in a stage of the run, and a chunk
// worker gets that file instead of JSON rows. This follows Snowflake's documentation and has not run on a real account:
// https://docs.snowflake.com/en/sql-reference/sql/copy-into-location
// https://docs.snowflake.com/en/user-guide/data-unload-considerations
//
// Nothing records which chunks are unloaded. The frozen table does not change, the name of a file has the table's random id,
// and a file appears in a stage once it is whole: so a file that is there is the chunk's, and one that is missing is unloaded
// again by whoever needs it. Two who do so at once write the same rows.

/** Statements side by side: half of what a warehouse runs by default (MAX_CONCURRENCY_LEVEL), and as many logins. */
const AT_ONCE = 4;

/** 5 GB, the most that MAX_FILE_SIZE may be; its default of 16 MB counts for SINGLE = TRUE as well. */
const MAX_FILE_SIZE = 5 * 2 ** 30;

/** A chunk of a frozen table, and the table as SQL. */
interface UnloadedChunk {
  readonly frozen: FrozenTable;
  readonly table: string;
  readonly chunk: number;
  /** That were counted when it was frozen. */
  readonly rows: number;
}

/**
 * Unloads every chunk, once per frozen table.
 *
 * @param table the frozen table, as SQL
 * @throws ScoreBatchError `configuration` where a chunk is too large for one file
 */
export async function unloadChunks(snowflake: Snowflake, frozen: FrozenTable, table: string): Promise<void> {
  if (frozen.chunks.length === 0) return;
  await makeUnloadStage(snowflake, frozen.runId);
  const waiting = each(frozen.chunks);
  const unloadNext = async () => {
    // The iterator is shared, and one that fails ends it for the others.
    for (const { chunk, rows } of waiting) await unload(snowflake, { frozen, table, chunk, rows });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, unloadNext));
}

function* each<T>(values: readonly T[]): Generator<T> {
  yield* values;
}

/**
 * Makes an unloaded chunk a temporary table of DuckDB, with the columns, types and values that `readInto` gives. It is unloaded
 * first where its file is missing or does not have its rows. The local copy is removed as soon as it is read.
 *
 * @returns number of rows
 * @throws ScoreBatchError `unavailable` where the file does not arrive, `configuration` where the chunk is too large for one
 */
export async function readUnloaded(
  snowflake: Snowflake,
  unloaded: UnloadedChunk,
  database: Database,
  relation: string,
): Promise<number> {
  const columns = unloaded.frozen.columns.map(carried);
  // Of its own: processes of one run that are on one machine have their work folder in common.
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

/** A statement that unloads a query to one file, in place of what is there by its name. A query without rows makes no file. */
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
    // Its code is not documented; the message was seen by others.
    if (!(error instanceof Failure) || !/exceeded for unload single file mode/i.test(error.message)) throw error;
    throw new ScoreBatchError('configuration', `chunk ${chunk} of the window takes more than 5 GB as a Parquet file`, {
      hint: 'set score.chunk_rows to fewer rows, or leave source.unload out',
      cause: error,
    });
  }
}

/** @returns why the file is not in the folder; undefined where it is. The driver decrypts it on the way. */
async function download(snowflake: Snowflake, unloaded: UnloadedChunk, folder: string): Promise<ScoreBatchError | undefined> {
  const { client, job } = snowflake;
  const sql = `GET @${stageFile(snowflake, unloaded)} ${literal(`file://${folder}`)}`;
  const statement = { tag: queryTag(job, unloaded.frozen.runId), within: client.timeouts.upload };
  let rows: Awaited<ReturnType<typeof run>> = [];
  try {
    rows = await client.use((session) => session.rows(sql, statement));
  } catch (error) {
    // The stage is made where frozen rows are unloaded for the first time, and may be gone with what was in it.
    if (!isMissing(error)) throw error;
  }
  // File, size, status, message; no row where the stage has no such file. Messages may hold addresses that are signed.
  if (rows.some((row) => row.includes('DOWNLOADED'))) return undefined;
  const isFull = rows.some((row) => row.some((cell) => cell?.includes('ENOSPC')));
  return new ScoreBatchError('unavailable', `${fileName(unloaded)} did not arrive from the stage of the run`, {
    details: isFull ? [`there is no room for it in ${folder}, or in the folder for temporary files (ENOSPC)`] : [],
    hint: isFull
      ? 'make room, or set TMPDIR to a folder that has some; then start the same command again'
      : 'start the same command again: it goes on from the chunks that are staged',
  });
}

function stageFile(snowflake: Snowflake, unloaded: UnloadedChunk): string {
  return `${tableIdentifier(scratchName(snowflake, 'unloaded', unloaded.frozen.runId))}/${fileName(unloaded)}`;
}

/** GET takes every file whose name begins so: with its ending, no other one does. */
function fileName({ frozen, chunk }: UnloadedChunk): string {
  return `chunk-${chunk}-${frozen.id}.parquet`;
}

function scan(file: string): string {
  return `read_parquet(${fileList([file])}, hive_partitioning = false, binary_as_string = true)`;
}

/**
 * What is unloaded of a column. Numbers become DECIMAL or DOUBLE, or a smaller type that holds all values of the file
 * (ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION). TIMESTAMP_TZ and TIMESTAMP_LTZ are refused, and how many digits of a
 * TIMESTAMP_NTZ remain is not documented: times go as the text that the row path reads.
 */
function toParquet(column: CarriedColumn): string {
  const name = SNOWFLAKE.identifier(column.name);
  return isTime(column) ? SNOWFLAKE.text(name, column) : name;
}

/** DuckDB's value of what `toParquet` gives, of exactly the type that the row path gives. */
function fromParquet(cell: string, column: CarriedColumn): string {
  return isTime(column) ? fromText(cell, column) : `CAST(${cell} AS ${duckdbType(column)})`;
}

function isTime({ type }: CarriedColumn): boolean {
  return type === 'date' || type === 'datetime' || type === 'timestamp';
}
