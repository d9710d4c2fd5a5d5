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
import { fileList, identifier, literal, parquetScan } from '../../duckdb/sql.ts';
import { systemCode } from '../../errors.ts';
import { alteredFrozen } from '../altered-frozen.ts';
import type { SelectText, TextRow } from '../reader.ts';
import { isTaken } from '../run-folder.ts';
import { checksumSums } from '../sql/dialect.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { FreezeOptions } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { queryError } from './errors.ts';
import { type DuckdbFile, withFile, withMemory } from './file.ts';
import { frozenColumns, frozenRows, placed, ROW_NUMBER, repeatedKeys } from './frozen-rows.ts';
import { hashOfKey } from './key-hash.ts';
import { PLAIN } from './plain.ts';
import { renderQuery } from './query.ts';
import { makeRoom } from './room.ts';
import { countRows } from './row-count.ts';
import { FROZEN, finishErasure, MANIFEST, makeRunFolder, runFolder } from './scratch.ts';
import { stampsOf } from './stamp.ts';
import { widestRows } from './widest-rows.ts';

export const ROWS = 'rows';
const REPEATED = 'repeated';
/** 200 MiB was enough to count ten million keys in one pass, but not a hundred million, even with spilling. */
const BYTES_PER_KEY = 12;
/**
 * Approximate, because each thread fills its own row group. A chunk costs more the more row groups its file has, read or
 * not.
 */
const GROUPS_PER_FILE = 16;
/** A chunk worker with the minimum memory can read a row group of this size. */
export const ROW_GROUP_BYTES = 8 * 2 ** 20;

interface Manifest extends FrozenTable {
  /** See `probeHash`. */
  readonly probe: string;
  /** One per file, taken when it was written. */
  readonly stamps: readonly string[];
  /** See `finishErasure`. */
  readonly replaces?: string;
}

/**
 * Writes the query's rows as Parquet files next to the database; a chunk is a range of rows. A table in the database would
 * hold its lock during the write, and took twice the time. One file per chunk, filled by a hash of the key, costs more per
 * row the more chunks there are. The frozen table is complete once the folder has its final name.
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
    await writeFile(path.join(folder, MANIFEST), JSON.stringify(await manifestOf(file, folder, frozen)));
    // An existing frozen table that cannot be read is damaged; rows scored from it are not used.
    if (existsSync(path.join(final, MANIFEST)) && !(await readFrozen(file, options.runId)))
      await rm(final, { recursive: true });
    await rename(folder, final);
    return frozen;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    // Another process of this run finished first; its rows are the run's rows.
    const other = isTaken(error) ? await readFrozen(file, options.runId) : undefined;
    if (other) return other;
    throw error;
  }
}

async function copyRows(database: Database, query: Query, { columns }: FreezeOptions, folder: string): Promise<void> {
  const { sql, values } = renderQuery(query);
  // It does not matter which chunk a row is in, and preserving the order would buffer whole row groups in memory.
  await database.run('SET preserve_insertion_order = false');
  await database.run(
    `COPY (SELECT ${frozenColumns(columns).join(', ')} FROM ${asSubquery(sql)})
     TO ${literal(path.join(folder, ROWS))} (FORMAT parquet, ${PLAIN}, ${rowGroupsOf(ROW_GROUP_BYTES)}, ROW_GROUPS_PER_FILE ${GROUPS_PER_FILE})`,
    values,
  );
}

/** Counts the files, not the query: reconcile must compare with what is frozen. */
export async function countFrozen(
  database: Database,
  folder: string,
  options: FreezeOptions,
  file: DuckdbFile,
): Promise<FrozenTable> {
  const { runId, columns, key, hash, kept } = options;
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
      `SELECT ${ROW_NUMBER} // ${size} AS score_batch_part, count(*), ${sums} FROM ${frozenRows([name], columns)} GROUP BY score_batch_part ORDER BY score_batch_part`,
    );
    for (const [part, count, high, low] of counted) {
      chunks.push({ chunk: chunks.length, rows: Number(count), checksum: checksumOf(high, low) });
      pieces.push({ file: path.relative(folder, name), first: Number(part) * size });
    }
  }
  const passes = Math.max(1, Math.ceil((rows * BYTES_PER_KEY) / memory));
  const duplicates = await writeRepeated(database, folder, options, { files, passes });
  const divisions = Math.max(1, chunks.length);
  return {
    ...{ id: newFrozenId(), runId, columns, divisions, hash, chunks, pieces, rows, duplicates },
    ...(widest && { widest }),
    ...(kept && { kept }),
  };
}

/** Rows per chunk of a file: about equal, at most `chunkRows`. */
function pieceSize(rows: number, chunkRows: number): number {
  if (rows === 0) return 1;
  return Math.ceil(rows / Math.ceil(rows / chunkRows));
}

async function rowsPerFile(database: Database, files: readonly string[]): Promise<number[]> {
  const counted = await database.rows(`SELECT file_name, num_rows FROM parquet_file_metadata(${fileList(files)})`);
  const rows = new Map(counted.map(([name, count]) => [String(name), Number(count)]));
  return files.map((file) => {
    const count = rows.get(file);
    if (count === undefined) throw new Error(`no row count for ${file}`);
    return count;
  });
}

/** @returns number of keys that occur more than once */
async function writeRepeated(
  database: Database,
  folder: string,
  { columns, key }: FreezeOptions,
  { files, passes }: { readonly files: readonly string[]; readonly passes: number },
): Promise<number> {
  await mkdir(path.join(folder, REPEATED));
  for (let pass = 0; pass < passes; pass += 1) {
    const repeated = path.join(folder, REPEATED, `${pass}.parquet`);
    await database.run(
      `COPY (${repeatedKeys(files, { columns, key }, pass, passes)}) TO ${literal(repeated)} (FORMAT parquet)`,
    );
  }
  const counts = await rowsPerFile(database, await filesIn(path.join(folder, REPEATED)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What is written beside the files once they are complete. */
export async function manifestOf(file: DuckdbFile, folder: string, frozen: FrozenTable): Promise<Manifest> {
  const stamps = await stampsOf(await frozenFiles(folder));
  return { ...frozen, probe: await probeHash(file, frozen.runId), stamps };
}

/** All frozen files: rows and duplicate keys. */
async function frozenFiles(folder: string): Promise<string[]> {
  return [...(await filesIn(path.join(folder, ROWS))), ...(await filesIn(path.join(folder, REPEATED)))];
}

/** The hash of a fixed key. A DuckDB with another hash would stage rows that do not reconcile with the counted ones. */
async function probeHash(file: DuckdbFile, runId: string): Promise<string> {
  const [row] = await withMemory(file, runFolder(file, runId), (database) => database.rows("SELECT hash('score-batch', 1)"));
  return String(row?.[0]);
}

/**
 * The run's frozen table, if it is complete and was counted by a DuckDB with the same hash. Rows can be missing after a power
 * loss.
 *
 * @throws ScoreBatchError `refused` if it is complete but was modified
 */
export async function readFrozen(file: DuckdbFile, runId: string): Promise<FrozenTable | undefined> {
  const folder = frozenFolder(file, runId);
  await finishErasure(runFolder(file, runId));
  try {
    const { probe, stamps, replaces: _, ...frozen } = await readManifest(folder);
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

/** Checks that no file was modified since it was frozen, without reading the rows again. */
export async function verifyFrozen(file: DuckdbFile, { id, runId }: FrozenTable): Promise<void> {
  const folder = frozenFolder(file, runId);
  const manifest = await readManifest(folder).catch((error: unknown) => {
    throw alteredFrozen(folder, [`cannot read its manifest (${systemCode(error) ?? 'not JSON'})`]);
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
 * Creates the views `chunk`, with the chunk's rows, and `repeated`, with the window's duplicate keys. With one thread DuckDB
 * returns the rows in the same order on every read.
 */
export async function viewChunk(file: DuckdbFile, frozen: FrozenTable, chunk: number, database: Database): Promise<void> {
  const folder = frozenFolder(file, frozen.runId);
  const piece = frozen.pieces?.[chunk];
  if (piece === undefined) throw new Error(`the frozen table of ${frozen.runId} has no chunk ${chunk}`);
  const last = piece.first + (frozen.chunks[chunk]?.rows ?? 0) - 1;
  await database.run(
    `CREATE OR REPLACE TEMP VIEW chunk AS SELECT * EXCLUDE (${ROW_NUMBER})
     FROM ${frozenRows([path.join(folder, piece.file)], frozen.columns)} WHERE ${ROW_NUMBER} BETWEEN ${piece.first} AND ${last}`,
  );
  await database.run(
    `CREATE OR REPLACE TEMP VIEW repeated AS SELECT * FROM ${parquetScan(await filesIn(path.join(folder, REPEATED)))}`,
  );
}

/** Runs a SELECT over all rows of the frozen table. */
export async function selectFrozen(
  file: DuckdbFile,
  { runId, columns }: FrozenTable,
  statement: SelectText,
): Promise<readonly TextRow[]> {
  const files = await filesIn(path.join(frozenFolder(file, runId), ROWS));
  return await withMemory(
    file,
    runFolder(file, runId),
    async (database) => (await database.rows(statement(DUCKDB, frozenRows(files, columns)))) as TextRow[],
  );
}

/** See `Source.showFrozen`. A table can have hundreds of columns, so only those used by the statement are shown. */
export function showFrozen(
  file: DuckdbFile,
  { runId, columns }: Pick<FrozenTable, 'runId' | 'columns'>,
  statement: SelectText,
): string {
  const text = statement(DUCKDB, '');
  const named = columns.flatMap(({ name }, i) =>
    text.includes(identifier(name)) ? `${placed(i)} AS ${identifier(name)}` : [],
  );
  const files = path.join(frozenFolder(file, runId), ROWS, '*.parquet');
  return statement(DUCKDB, `(SELECT ${named.join(', ') || '*'} FROM ${parquetScan([files])})`);
}

function frozenFolder(file: DuckdbFile, runId: string): string {
  return path.join(runFolder(file, runId), FROZEN);
}
