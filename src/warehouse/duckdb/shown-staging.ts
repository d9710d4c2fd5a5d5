import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { literal, parquetScan } from '../../duckdb/sql.ts';
import { REJECTED } from '../../outcomes/folder.ts';
import type { SelectText } from '../reader.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withMemory } from './file.ts';
import { runFolder } from './scratch.ts';
import { openStaged } from './staged-rows.ts';
import { stagedAttempts, stagingFolder } from './staging.ts';

// Makes staging readable for people with any DuckDB.

/** See `Sink.showRejected`. @param staging the run's folder of staged files */
export function showRejected(staging: string): string {
  // A tapped attempt has a separate file for rejected rows.
  const tapped = existsSync(staging) && readdirSync(staging).some((name) => existsSync(path.join(staging, name, REJECTED)));
  const files = path.join(staging, tapped ? path.join('*', REJECTED) : '*.parquet');
  return `select * from read_parquet(${literal(files)}, hive_partitioning = false) where reason is not null`;
}

/** The rows of a tapped window with their scores, written for people: its outcomes are in our own format. */
const SHOWN = 'shown.parquet';

/** See `Sink.showStaged`. */
export async function showStaged(file: DuckdbFile, runId: string, statement: SelectText): Promise<string> {
  const staging = stagingFolder(file, runId);
  const attempts = await stagedAttempts(file, runId);
  const plain = attempts.every(({ chunk, attempt }) => existsSync(path.join(staging, `chunk-${chunk}-${attempt}.parquet`)));
  if (plain) return statement(DUCKDB, parquetScan([path.join(staging, '*.parquet')]));
  const shown = path.join(runFolder(file, runId), SHOWN);
  await withMemory(file, runFolder(file, runId), async (database) => {
    using staged = await openStaged(database, staging, attempts);
    await database.run(`COPY (SELECT * FROM ${staged.all}) TO ${literal(shown)} (FORMAT parquet)`);
  });
  return statement(DUCKDB, parquetScan([shown]));
}
