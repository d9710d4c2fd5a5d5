import { existsSync } from 'node:fs';
import path from 'node:path';
import type { StagedAttempt } from '../../domain/attempt.ts';
import { stagedKeep, stagedKey } from '../../domain/staged-columns.ts';
import type { TappedWindow } from '../../domain/tapped-window.ts';
import type { Database } from '../../duckdb/database.ts';
import { filesIn } from '../../duckdb/files.ts';
import { literal, parquetScan } from '../../duckdb/sql.ts';
import { ScoreBatchError } from '../../errors.ts';
import { ORDINAL, OUTCOMES, REJECTED, REPEATED } from '../../outcomes/folder.ts';
import { registerOutcomes } from '../../outcomes/functions.ts';
import { openOutcomes } from '../../outcomes/reader.ts';
import { readTapped, rowFiles, tappedFolder } from './tapped.ts';

/** Hash of the encoded features of a scored row; null if staging lacks it. Costs nothing unless selected. */
export const FEATURE_HASH = 'feature_hash';

/** Staged attempts as relations of one database: FROM clauses with the columns of staging. */
export interface StagedRows extends Disposable {
  /** All rows. */
  readonly all: string;
  /** A superset of the quarantined rows. */
  readonly rejected: string;
  /** Parquet files of the rows; their footers show how wide rows are. */
  readonly files: readonly string[];
}

/** Makes staged attempts readable in a database. Dispose of it before closing the database. */
export async function openStaged(
  database: Database,
  staging: string,
  attempts: readonly Pick<StagedAttempt, 'chunk' | 'attempt'>[],
): Promise<StagedRows> {
  const plain: string[] = [];
  const tapped: TappedRows[] = [];
  for (const { chunk, attempt } of attempts) {
    const folder = tappedFolder(staging, attempt);
    if (existsSync(folder)) tapped.push(await openTapped(database, folder));
    else plain.push(path.join(staging, `chunk-${chunk}-${attempt}.parquet`));
  }
  const selects = plain.length === 0 ? [] : [`SELECT *, CAST(NULL AS BIGINT) AS ${FEATURE_HASH} FROM ${parquetScan(plain)}`];
  return {
    all: union([...selects, ...tapped.flatMap(({ scored, rejected }) => [scored, ...(rejected ? [rejected] : [])])]),
    // The constant columns show that scored rows are not quarantined, so DuckDB does not read them.
    rejected: union([...selects, ...tapped.map(({ scored, rejected }) => rejected ?? scored)]),
    files: [...plain, ...tapped.flatMap(({ files }) => files)],
    [Symbol.dispose]() {
      for (const { close } of tapped) close();
    },
  };
}

function union(selects: readonly string[]): string {
  return `(${selects.join(' UNION ALL BY NAME ')}) AS staged`;
}

/** The rows of a tapped attempt, as SELECT statements. */
interface TappedRows {
  readonly scored: string;
  /** Undefined if no row was rejected. */
  readonly rejected: string | undefined;
  readonly files: readonly string[];
  readonly close: () => void;
}

async function openTapped(database: Database, folder: string): Promise<TappedRows> {
  const window = await readTapped(folder);
  const files = await rowFiles(folder);
  if (files.length === 0) {
    throw new ScoreBatchError('conflict', `the rows of ${folder} are gone`, {
      hint: 'run the same command again: it scores them again',
    });
  }
  const reader = openOutcomes(path.join(folder, OUTCOMES), window.batchRows);
  const { score, bits } = registerOutcomes(database, reader);
  const repeated = path.join(folder, REPEATED);
  const passed = [
    ...Array.from({ length: window.keys }, (_, i) => stagedKey(i)),
    ...Array.from({ length: window.kept }, (_, i) => stagedKeep(i)),
  ];
  const scored = `SELECT ${[...passed, `${score}(${ORDINAL}) AS score`, `${bits}(${ORDINAL}) AS ${FEATURE_HASH}`, ...constantColumns(window)].join(', ')}
    FROM ${scorable(parquetScan(files), window.keys, window.frozen.duplicates ? await filesIn(repeated) : [])}`;
  return {
    scored: window.rejected === 0 ? scored : `SELECT * FROM (${scored}) WHERE score IS NOT NULL`,
    rejected: window.rejected === 0 ? undefined : `SELECT * FROM ${parquetScan([path.join(folder, REJECTED)])}`,
    files,
    close: () => reader.close(),
  };
}

/**
 * Rows with a complete, unique key.
 *
 * @param from a relation with the columns of staged keys
 * @param repeated files of duplicate keys
 */
function scorable(from: string, keys: number, repeated: readonly string[]): string {
  const names = Array.from({ length: keys }, (_, i) => stagedKey(i));
  const present = names.map((name) => `${name} IS NOT NULL`).join(' AND ');
  const once = repeated.length === 0 ? '' : ` ANTI JOIN ${parquetScan(repeated)} USING (${names.join(', ')})`;
  return `(SELECT * FROM ${from} WHERE ${present}) AS keyed${once}`;
}

/** Columns that staged files have and that are the same for all rows of a tapped attempt. */
function constantColumns({ attempt, provider, facts, scoredAt }: TappedWindow): string[] {
  return [
    'CAST(NULL AS VARCHAR) AS reason',
    'CAST(NULL AS VARCHAR) AS column_name',
    'CAST(NULL AS VARCHAR) AS value',
    '0 AS chunk',
    `${literal(attempt)} AS attempt`,
    `${literal(provider)} AS provider`,
    `${literal(JSON.stringify(facts))} AS facts`,
    `CAST(${literal(scoredAt)} AS TIMESTAMPTZ) AS scored_at`,
  ];
}
