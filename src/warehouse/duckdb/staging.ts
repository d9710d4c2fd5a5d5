import { open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ScoredFile, StagedAttempt } from '../../domain/attempt.ts';
import { readFacts } from '../../domain/attempt-facts.ts';
import { checksumOf } from '../../domain/checksum.ts';
import { type AttemptTally, pinAttempts } from '../../domain/reconciliation.ts';
import { stagedKey } from '../../domain/staged-columns.ts';
import { fileList, parquetScan } from '../../duckdb/sql.ts';
import { systemCode } from '../../errors.ts';
import { alteredStaging } from '../altered-staging.ts';
import { checksumSums } from '../sql/dialect.ts';
import { histogramCounts } from '../sql/tally.ts';
import type { ReconcileOptions, StagedTally } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withMemory } from './file.ts';
import { hashOfKey } from './key-hash.ts';
import { countRows } from './row-count.ts';
import { runFolder } from './scratch.ts';
import { stampsOf } from './stamp.ts';

// Staging is a folder of scored files: publish reads Parquet as fast as a table, and nothing is written twice. A file's name
// says chunk and attempt; it has this name only once it is complete.

const NAME = /^chunk-(\d+)-([0-9a-f]+)\.parquet$/;

export function stagingFolder(file: DuckdbFile, runId: string): string {
  return path.join(runFolder(file, runId), 'staged');
}

export function stagedFile(
  file: DuckdbFile,
  runId: string,
  { chunk, attempt }: Pick<StagedAttempt, 'chunk' | 'attempt'>,
): string {
  return path.join(stagingFolder(file, runId), `chunk-${chunk}-${attempt}.parquet`);
}

/** A rename of what is on disk: after a loss of power the file is there whole, or not at all. */
export async function stage(file: DuckdbFile, runId: string, scored: ScoredFile): Promise<void> {
  const handle = await open(scored.file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(scored.file, stagedFile(file, runId, scored));
}

/** Attempts that can be read; one that cannot is removed, and its chunk scored again. */
export async function stagedAttempts(file: DuckdbFile, runId: string): Promise<StagedAttempt[]> {
  const files = await stagedFiles(file, runId);
  if ((await countRows(file, runId, files)) === undefined) {
    for (const staged of files) if ((await countRows(file, runId, [staged])) === undefined) await rm(staged);
    return await stagedAttempts(file, runId);
  }
  if (files.length === 0) return [];
  const counted = await withMemory(file, runFolder(file, runId), (database) =>
    database.rows(`SELECT file_name, num_rows FROM parquet_file_metadata(${fileList(files)})`),
  );
  return counted.map(([name, rows]) => ({ ...attemptOf(String(name)), rows: Number(rows) }));
}

/** Counts from the rows themselves: what a file's name says is not enough to publish it. */
export async function tallyStaged(
  file: DuckdbFile,
  { runId, frozen, key, scorer, scoreEdges }: ReconcileOptions,
): Promise<StagedTally> {
  const files = await stagedFiles(file, runId);
  if (files.length === 0) return { ...pinAttempts(frozen, []), rejections: [], scoreCounts: scoreEdges && [] };
  // Before anything is read of them.
  const stamps = new Map((await stampsOf(files)).map((stamp, i) => [files[i], stamp]));
  return await withMemory(file, runFolder(file, runId), async (database) => {
    const hash = hashOfKey(
      frozen.hash,
      key.map((column, i) => ({ ...column, name: stagedKey(i) })),
    );
    const counted = await database.rows(
      `SELECT chunk, attempt, any_value(provider), max(facts), count(*), count(score), ${checksumSums(DUCKDB, hash).join(', ')}
       FROM ${parquetScan(files)} GROUP BY chunk, attempt ORDER BY chunk, attempt`,
    );
    const attempts = counted.map(([chunk, attempt, provider, facts, rows, scored, high, low]) => {
      const id = { chunk: Number(chunk), attempt: String(attempt) };
      return {
        ...id,
        provider: String(provider),
        facts: readFacts(facts as string | null),
        rows: Number(rows),
        scored: Number(scored),
        checksum: checksumOf(high, low),
        content: stamps.get(stagedFile(file, runId, id)) ?? '',
      };
    });
    const pinning = pinAttempts(frozen, attempts, scorer);
    if (pinning.pinned.length === 0) return { ...pinning, rejections: [], scoreCounts: scoreEdges && [] };
    const scan = parquetScan(pinning.pinned.map((attempt) => stagedFile(file, runId, attempt)));
    const rejected = await database.rows(
      `SELECT reason, column_name, count(*) FROM ${scan} WHERE reason IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, reason, column_name`,
    );
    const rejections = rejected.map(([reason, column, rows]) => ({
      reason: String(reason),
      columnName: column === null ? undefined : String(column),
      rows: Number(rows),
    }));
    if (scoreEdges === undefined) return { ...pinning, rejections, scoreCounts: undefined };
    const [counts = []] = await database.rows(`SELECT ${histogramCounts(scoreEdges).join(', ')} FROM ${scan}`);
    return { ...pinning, rejections, scoreCounts: counts.map(Number) };
  });
}

async function stagedFiles(file: DuckdbFile, runId: string): Promise<string[]> {
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

/** @throws ScoreBatchError `refused` where a pinned file is not as it was when it was counted */
export async function refuseAlteredStaging(
  file: DuckdbFile,
  runId: string,
  pinned: readonly Pick<AttemptTally, 'chunk' | 'attempt' | 'content'>[],
): Promise<void> {
  const files = pinned.map((attempt) => stagedFile(file, runId, attempt));
  const now = await stampsOf(files).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const changed = pinned.filter(({ content }, i) => content !== now[i]);
  if (changed.length > 0)
    throw alteredStaging(changed.map(({ chunk }) => `the file of chunk ${chunk} was written to or is gone`));
}
