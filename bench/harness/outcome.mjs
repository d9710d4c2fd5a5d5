import { rmSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/**
 * Drops what earlier cases wrote, so that every run publishes the week for the first time, as a weekly job does, and all peers
 * find the same file.
 */
export async function clearPublished(warehouse) {
  await query(warehouse, 'drop schema if exists marketing cascade');
  await query(warehouse, 'drop table if exists peer_scores');
  rmSync(`${warehouse}.scratch`, { recursive: true, force: true });
  const folder = path.dirname(warehouse);
  for (const name of ['reports', 'out_daft', 'out_ray', 'out_pyspark', 'tmp_pyspark']) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

/** Rows and mean score of what a case wrote. */
export async function countScores(database, table, column) {
  const [row] = await query(database, `select count(*)::double as rows, avg(${column})::double as mean from ${table}`);
  return { rows: row.rows, meanScore: row.mean };
}

/** What is wrong with a case's work, beside what was to be done and the mean score that another case found; else undefined. */
export function faultOf({ rows, meanScore }, wantedRows, wantedMean) {
  if (rows !== wantedRows) return `wrote ${rows} rows instead of ${wantedRows}`;
  if (meanScore === null || !(Math.abs(meanScore - (wantedMean ?? meanScore)) <= MEAN_TOLERANCE)) {
    return `has a mean score of ${meanScore} where another has ${wantedMean}`;
  }
  return undefined;
}

const MEAN_TOLERANCE = 1e-4;

async function query(database, sql) {
  const instance = await DuckDBInstance.create(database, { memory_limit: '1GB' });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
