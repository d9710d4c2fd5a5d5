import { existsSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ScoredFile, StagedAttempt } from '../../domain/attempt.ts';
import { readFacts } from '../../domain/attempt-facts.ts';
import { checksumOf } from '../../domain/checksum.ts';
import type { TopRow } from '../../domain/reasons.ts';
import { type AttemptTally, pinAttempts } from '../../domain/reconciliation.ts';
import type { Column } from '../../domain/schema.ts';
import { stagedKey } from '../../domain/staged-columns.ts';
import type { TappedWindow } from '../../domain/tapped-window.ts';
import type { Database } from '../../duckdb/database.ts';
import { fileList, parquetScan } from '../../duckdb/sql.ts';
import { ScoreBatchError, systemCode } from '../../errors.ts';
import { alteredStaging } from '../altered-staging.ts';
import type { ReconcileOptions, StagedTally, TopRowsOptions } from '../publication-spec.ts';
import type { TextRow } from '../reader.ts';
import { checksumSums } from '../sql/dialect.ts';
import { histogramCounts } from '../sql/tally.ts';
import { selectTop, toTopRow } from '../sql/top.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withMemory } from './file.ts';
import { hashOfKey } from './key-hash.ts';
import { countRows } from './row-count.ts';
import { runFolder } from './scratch.ts';
import { FEATURE_HASH, openStaged } from './staged-rows.ts';
import { stampsOf } from './stamp.ts';
import { readTapped, tappedFiles, tappedFolder, trustedBatchRows } from './tapped.ts';

// Staging is a folder of scored files: publish reads Parquet as fast as a table, and rows are not written twice. A file is
// named after its chunk and attempt, and gets this name only once it is complete.

const NAME = /^chunk-(\d+)-([0-9a-f]+)\.(parquet|tapped)$/;

export function stagingFolder(file: DuckdbFile, runId: string): string {
  return path.join(runFolder(file, runId), 'staged');
}

function stagedFile(file: DuckdbFile, runId: string, { chunk, attempt }: Pick<StagedAttempt, 'chunk' | 'attempt'>): string {
  return path.join(stagingFolder(file, runId), `chunk-${chunk}-${attempt}.parquet`);
}

/** The file or the folder of an attempt. */
function stagedPath(file: DuckdbFile, runId: string, attempt: Pick<StagedAttempt, 'chunk' | 'attempt'>): string {
  const tapped = tappedFolder(stagingFolder(file, runId), attempt.attempt);
  return existsSync(tapped) ? tapped : stagedFile(file, runId, attempt);
}

function isTapped(name: string): boolean {
  return name.endsWith('.tapped');
}

/** Shows whether an attempt was changed since it was written; see `stampsOf`. */
async function stampOf(name: string): Promise<string> {
  return (await stampsOf(isTapped(name) ? await tappedFiles(name) : [name])).join(' ');
}

/** Syncs the file, then renames it: after a loss of power it is complete or missing. */
export async function stage(file: DuckdbFile, runId: string, scored: ScoredFile): Promise<void> {
  const handle = await open(scored.file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(scored.file, stagedFile(file, runId, scored));
}

/** Readable attempts. An unreadable one is removed, and its chunk is scored again. */
export async function stagedAttempts(file: DuckdbFile, runId: string): Promise<StagedAttempt[]> {
  const all = await stagedPaths(file, runId);
  const files = all.filter((name) => !isTapped(name));
  const tapped: StagedAttempt[] = [];
  for (const folder of all.filter(isTapped)) {
    const window = await readableWindow(folder);
    if (window !== undefined) tapped.push({ ...attemptOf(folder), rows: window.frozen.rows });
  }
  return [...tapped, ...(await attemptsInFiles(file, runId, files))];
}

async function attemptsInFiles(file: DuckdbFile, runId: string, files: readonly string[]): Promise<StagedAttempt[]> {
  if ((await countRows(file, runId, files)) === undefined) {
    for (const staged of files) if ((await countRows(file, runId, [staged])) === undefined) await rm(staged);
    return await attemptsInFiles(
      file,
      runId,
      (await stagedPaths(file, runId)).filter((name) => !isTapped(name)),
    );
  }
  if (files.length === 0) return [];
  const counted = await withMemory(file, runFolder(file, runId), (database) =>
    database.rows(`SELECT file_name, num_rows FROM parquet_file_metadata(${fileList(files)})`),
  );
  return counted.map(([name, rows]) => ({ ...attemptOf(String(name)), rows: Number(rows) }));
}

/** Counts the rows themselves; a file's name is not enough to publish it. */
export async function tallyStaged(
  file: DuckdbFile,
  { runId, frozen, key, scorer, scoreEdges }: ReconcileOptions,
): Promise<StagedTally> {
  const paths = await stagedPaths(file, runId);
  if (paths.length === 0) return { ...pinAttempts(frozen, []), rejections: [], scoreCounts: scoreEdges && [] };
  // Before any row is read.
  const stamps = new Map(await Promise.all(paths.map(async (name) => [keyOf(attemptOf(name)), await stampOf(name)] as const)));
  return await withMemory(file, runFolder(file, runId), async (database) => {
    const hash = hashOfKey(
      frozen.hash,
      key.map((column, i) => ({ ...column, name: stagedKey(i) })),
    );
    const sums = ['count(*)', 'count(score)', 'sum(score)', ...checksumSums(DUCKDB, hash)].join(', ');
    const attempts = [
      ...(await countTapped(database, paths.filter(isTapped), sums)),
      ...(await countFiles(
        database,
        paths.filter((name) => !isTapped(name)),
        sums,
      )),
    ].map((attempt) => ({ ...attempt, content: stamps.get(keyOf(attempt)) ?? '' }));
    const pinning = pinAttempts(frozen, attempts, scorer);
    if (pinning.pinned.length === 0) return { ...pinning, rejections: [], scoreCounts: scoreEdges && [] };
    using pinned = await openStaged(database, stagingFolder(file, runId), pinning.pinned);
    const rejected = await database.rows(
      `SELECT reason, column_name, count(*) FROM ${pinned.rejected} WHERE reason IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, reason, column_name`,
    );
    const rejections = rejected.map(([reason, column, rows]) => ({
      reason: String(reason),
      columnName: column === null ? undefined : String(column),
      rows: Number(rows),
    }));
    if (scoreEdges === undefined) return { ...pinning, rejections, scoreCounts: undefined };
    const [counts = []] = await database.rows(`SELECT ${histogramCounts(scoreEdges).join(', ')} FROM ${pinned.all}`);
    return { ...pinning, rejections, scoreCounts: counts.map(Number) };
  });
}

/** See `Sink.topRows`. */
export async function topRows(file: DuckdbFile, { runId, key, pinned, rows }: TopRowsOptions): Promise<TopRow[]> {
  if (pinned.length === 0) return [];
  return await withMemory(file, runFolder(file, runId), async (database) => {
    using staged = await openStaged(database, stagingFolder(file, runId), pinned);
    const options = { staged: staged.all, key, rows, stagesText: false, featureHash: FEATURE_HASH };
    return ((await database.rows(selectTop(DUCKDB, options))) as TextRow[]).map(toTopRow);
  });
}

async function stagedPaths(file: DuckdbFile, runId: string): Promise<string[]> {
  const folder = stagingFolder(file, runId);
  try {
    return (await readdir(folder))
      .filter((name) => NAME.test(name))
      .sort()
      .map((name) => path.join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function attemptOf(file: string): { chunk: number; attempt: string } {
  const match = NAME.exec(path.basename(file));
  return { chunk: Number(match?.[1]), attempt: match?.[2] ?? '' };
}

function keyOf({ chunk, attempt }: Pick<StagedAttempt, 'chunk' | 'attempt'>): string {
  return `${chunk} ${attempt}`;
}

/** @throws ScoreBatchError `refused` if a pinned file changed since it was counted */
export async function refuseAlteredStaging(
  file: DuckdbFile,
  runId: string,
  pinned: readonly Pick<AttemptTally, 'chunk' | 'attempt' | 'content'>[],
): Promise<void> {
  const now = await Promise.all(pinned.map((attempt) => stampOf(stagedPath(file, runId, attempt)))).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const changed = pinned.filter(({ content }, i) => content !== now[i]);
  if (changed.length > 0) throw alteredStaging(changed.map(({ chunk }) => `the file of chunk ${chunk} was changed or removed`));
}

/**
 * The run's tapped attempt, if all files are readable and every row has an outcome; a loss of power can have destroyed some.
 */
export async function wholeAttempt(file: DuckdbFile, runId: string): Promise<TappedWindow | undefined> {
  for (const folder of (await stagedPaths(file, runId)).filter(isTapped)) {
    const window = await readableWindow(folder);
    if (window === undefined) continue;
    const { frozen } = window;
    // For DuckDB's own hash only the names of the key's columns matter.
    const key = Array.from({ length: window.keys }, (_, i): Column => ({ name: stagedKey(i), type: 'string', native: '' }));
    const options = { runId, frozen, key, keep: [], scorer: undefined, scoreEdges: undefined };
    const tally = await tallyStaged(file, options).catch((error: unknown) => {
      if (isDamaged(error)) return undefined;
      throw error;
    });
    const pinned = tally?.pinned.find(({ attempt }) => attempt === window.attempt);
    const rejected = tally?.rejections.reduce((sum, { rows }) => sum + rows, 0) ?? 0;
    if (pinned !== undefined && pinned.scored + rejected === frozen.rows) return window;
    await rm(folder, { recursive: true });
  }
  return undefined;
}

/** The description of an attempt whose files can be trusted. An attempt without one is removed. */
async function readableWindow(folder: string): Promise<TappedWindow | undefined> {
  try {
    return (await trustedBatchRows(folder)) === undefined ? undefined : await readTapped(folder);
  } catch (error) {
    if (!(error instanceof SyntaxError) && systemCode(error) !== 'ENOENT') throw error;
    await rm(folder, { recursive: true });
    return undefined;
  }
}

function isDamaged(error: unknown): boolean {
  return (error instanceof ScoreBatchError && error.kind === 'conflict') || systemCode(error) === 'ENOENT';
}

type Counted = Omit<AttemptTally, 'content'>;

/** @param counts expressions for rows, scored rows, the sum of the scores and the two sums of key hashes */
async function countFiles(database: Database, files: readonly string[], counts: string): Promise<Counted[]> {
  if (files.length === 0) return [];
  const counted = await database.rows(
    `SELECT ${counts}, chunk, attempt, any_value(provider), max(facts) FROM ${parquetScan(files)} GROUP BY chunk, attempt ORDER BY chunk, attempt`,
  );
  return counted.map(([rows, scored, sum, high, low, chunk, attempt, provider, facts]) => ({
    chunk: Number(chunk),
    attempt: String(attempt),
    provider: String(provider),
    facts: readFacts(facts as string | null),
    rows: Number(rows),
    scored: Number(scored),
    scoreSum: Number(sum ?? 0),
    checksum: checksumOf(high, low),
  }));
}

/** A tapped attempt stores values that all its rows share only once, so they need no counting. */
async function countTapped(database: Database, folders: readonly string[], counts: string): Promise<Counted[]> {
  const attempts: Counted[] = [];
  for (const folder of folders) {
    const { provider, facts } = await readTapped(folder);
    const id = attemptOf(folder);
    using staged = await openStaged(database, path.dirname(folder), [id]);
    const [[rows, scored, sum, high, low] = []] = await database.rows(`SELECT ${counts} FROM ${staged.all}`);
    const scoreSum = Number(sum ?? 0);
    attempts.push({
      ...id,
      provider,
      facts,
      rows: Number(rows),
      scored: Number(scored),
      scoreSum,
      checksum: checksumOf(high, low),
    });
  }
  return attempts;
}
