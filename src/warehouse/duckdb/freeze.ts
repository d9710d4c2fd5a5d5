import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { newFrozenId } from '../../domain/attempt-id.ts';
import { checksumOf } from '../../domain/checksum.ts';
import { chunksFor, type FrozenChunk, type FrozenPiece, type FrozenTable } from '../../domain/frozen-table.ts';
import type { Query } from '../../domain/query.ts';
import type { Database } from '../../duckdb/database.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { filesIn } from '../../duckdb/files.ts';
import { rowGroupsOf } from '../../duckdb/row-groups.ts';
import { fileList, literal, parquetScan } from '../../duckdb/sql.ts';
import { systemCode } from '../../errors.ts';
import { alteredFrozen } from '../altered-frozen.ts';
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
import { makeRoom } from './room.ts';
import { countRows } from './row-count.ts';
import { makeRunFolder, runFolder } from './scratch.ts';
import { stampsOf } from './stamp.ts';
import { widestRows } from './widest-rows.ts';

const MANIFEST = 'frozen.json';
const ROWS = 'rows';
const REPEATED = 'repeated';
/** Ten million keys were counted at once with 200 MiB, a hundred million were too many, however much of it was spilled. */
const BYTES_PER_KEY = 12;
/** About: each thread fills a row group of its own. What a chunk costs grows with the row groups of its file, read or not. */
const GROUPS_PER_FILE = 16;
/** A chunk worker with the least memory can read a row group of this size. */
const ROW_GROUP_BYTES = 8 * 2 ** 20;

interface Manifest extends FrozenTable {
  /** See `probeHash`. */
  readonly probe: string;
  /** One for each file, as it was written. */
  readonly stamps: readonly string[];
}

/**
 * Writes the query's rows as Parquet files beside the database, of which a chunk is a range of rows: a table in the same file
 * would hold the file's lock for as long as it is written and took twice the time, and files per chunk, filled by a hash of the
 * key, cost the more for a row the more chunks there are. Complete once the folder has its final name.
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
    const frozen = await withMemory(file, runFolder(file, options.runId), (database) =>
      countFrozen(database, folder, options, file),
    );
    const stamps = await stampsOf(await frozenFiles(folder));
    await writeFile(
      path.join(folder, MANIFEST),
      JSON.stringify({ ...frozen, probe: await probeHash(file, options.runId), stamps } satisfies Manifest),
    );
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
     TO ${literal(path.join(folder, ROWS))} (FORMAT parquet, ${PLAIN}, ${rowGroupsOf(ROW_GROUP_BYTES)}, ROW_GROUPS_PER_FILE ${GROUPS_PER_FILE})`,
    values,
  );
}

/** Counted from the files, not from the query: the numbers that reconcile compares come from what is frozen. */
async function countFrozen(database: Database, folder: string, options: FreezeOptions, file: DuckdbFile): Promise<FrozenTable> {
  const { runId, columns, key, hash } = options;
  const files = await filesIn(path.join(folder, ROWS));
  const widest = await widestRows(database, files, columns, ROW_GROUP_BYTES);
  const memory = await makeRoom(database, file, widest?.bytes ?? 0);
  const counts = await rowsPerFile(database, files);
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const chunkRows = rows / chunksFor(rows, options);
  const sums = checksumSums(DUCKDB, hashOfKey(hash, key)).join(', ');
  const chunks: FrozenChunk[] = [];
  const pieces: FrozenPiece[] = [];
  for (const [i, name] of files.entries()) {
    const size = pieceSize(counts[i] ?? 0, chunkRows);
    const counted = await database.rows(
      `SELECT ${ROW_NUMBER} // ${size} AS score_batch_part, count(*), ${sums} FROM ${frozenRows(name, columns)} GROUP BY score_batch_part ORDER BY score_batch_part`,
    );
    for (const [part, count, high, low] of counted) {
      chunks.push({ chunk: chunks.length, rows: Number(count), checksum: checksumOf(high, low) });
      pieces.push({ file: path.relative(folder, name), first: Number(part) * size });
    }
  }
  const passes = Math.max(1, Math.ceil((rows * BYTES_PER_KEY) / memory));
  const duplicates = await writeRepeated(database, folder, files, options, passes);
  const divisions = Math.max(1, chunks.length);
  return { id: newFrozenId(), runId, columns, divisions, hash, chunks, pieces, rows, duplicates, ...(widest && { widest }) };
}

/** Rows of a file's chunks, all about equal and none above `chunkRows`. */
function pieceSize(rows: number, chunkRows: number): number {
  if (rows === 0) return 1;
  return Math.ceil(rows / Math.ceil(rows / chunkRows));
}

async function rowsPerFile(database: Database, files: readonly string[]): Promise<number[]> {
  const counted = await database.rows(`SELECT file_name, num_rows FROM parquet_file_metadata(${fileList(files)})`);
  const rows = new Map(counted.map(([name, count]) => [String(name), Number(count)]));
  return files.map((file) => {
    const count = rows.get(file);
    if (count === undefined) throw new Error(`nothing was counted of ${file}`);
    return count;
  });
}

/** @returns how many keys there are that occur more than once */
async function writeRepeated(
  database: Database,
  folder: string,
  files: readonly string[],
  { columns, key }: FreezeOptions,
  passes: number,
): Promise<number> {
  await mkdir(path.join(folder, REPEATED));
  for (let pass = 0; pass < passes; pass += 1) {
    const repeated = path.join(folder, REPEATED, `${pass}.parquet`);
    await database.run(`COPY (${repeatedKeys(files, columns, key, pass, passes)}) TO ${literal(repeated)} (FORMAT parquet)`);
  }
  const counts = await rowsPerFile(database, await filesIn(path.join(folder, REPEATED)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Everything that is frozen: the rows, and the keys that occur more than once. */
async function frozenFiles(folder: string): Promise<string[]> {
  return [...(await filesIn(path.join(folder, ROWS))), ...(await filesIn(path.join(folder, REPEATED)))];
}

/** The hash of one key: where this DuckDB computes another one, rows that are staged now would not reconcile with what was counted. */
async function probeHash(file: DuckdbFile, runId: string): Promise<string> {
  const [row] = await withMemory(file, runFolder(file, runId), (database) => database.rows("SELECT hash('score-batch', 1)"));
  return String(row?.[0]);
}

/**
 * The run's frozen table where it is there with all its rows, counted by a DuckDB that hashes as this one does: a machine that lost
 * power may have lost what was written last.
 *
 * @throws ScoreBatchError `refused` where it has all its rows and was written to
 */
export async function readFrozen(file: DuckdbFile, runId: string): Promise<FrozenTable | undefined> {
  const folder = frozenFolder(file, runId);
  try {
    const { probe, stamps, ...frozen } = await readManifest(folder);
    if (probe !== (await probeHash(file, runId))) return undefined;
    const rows = await countRows(file, runId, await filesIn(path.join(folder, ROWS)));
    const repeated = await countRows(file, runId, await filesIn(path.join(folder, REPEATED)));
    if (rows === undefined || repeated === undefined || rows < frozen.rows || repeated < (frozen.duplicates ?? 0))
      return undefined;
    await refuseOtherStamps(folder, stamps);
    return frozen;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Looks whether a file was written to since it was frozen: no byte of the rows is read again. */
export async function verifyFrozen(file: DuckdbFile, { id, runId }: FrozenTable): Promise<void> {
  const folder = frozenFolder(file, runId);
  const manifest = await readManifest(folder).catch((error: unknown) => {
    throw alteredFrozen(folder, [`its manifest cannot be read (${systemCode(error) ?? 'not JSON'})`]);
  });
  if (manifest.id !== id) throw alteredFrozen(folder, ['another process has frozen the window again']);
  await refuseOtherStamps(folder, manifest.stamps);
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')) as Manifest;
}

async function refuseOtherStamps(folder: string, stamps: readonly string[] = []): Promise<void> {
  const files = await frozenFiles(folder);
  const now = await stampsOf(files);
  const changed = files.filter((_, i) => !stamps.includes(now[i] ?? ''));
  if (changed.length === 0 && files.length === stamps.length) return;
  throw alteredFrozen(folder, [
    ...changed.map((name) => `${path.relative(folder, name)} was written to`),
    ...(files.length === stamps.length ? [] : [`it had ${stamps.length} files and has ${files.length}`]),
  ]);
}

/**
 * Makes the chunk the view `chunk`, and the keys that occur more than once in the window the view `repeated`; with one thread
 * DuckDB keeps the order of the rows, however often they are read.
 */
export async function viewChunk(file: DuckdbFile, frozen: FrozenTable, chunk: number, database: Database): Promise<void> {
  const folder = frozenFolder(file, frozen.runId);
  const piece = frozen.pieces?.[chunk];
  if (piece === undefined) throw new Error(`the frozen table of ${frozen.runId} has no chunk ${chunk}`);
  const last = piece.first + (frozen.chunks[chunk]?.rows ?? 0) - 1;
  await database.run(
    `CREATE OR REPLACE TEMP VIEW chunk AS SELECT * EXCLUDE (${ROW_NUMBER})
     FROM ${frozenRows(path.join(folder, piece.file), frozen.columns)} WHERE ${ROW_NUMBER} BETWEEN ${piece.first} AND ${last}`,
  );
  await database.run(
    `CREATE OR REPLACE TEMP VIEW repeated AS SELECT * FROM ${parquetScan(await filesIn(path.join(folder, REPEATED)))}`,
  );
}

function frozenFolder(file: DuckdbFile, runId: string): string {
  return path.join(runFolder(file, runId), 'frozen');
}
