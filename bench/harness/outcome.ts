import { createHash } from 'node:crypto';
import { createReadStream, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';

/** What a case published. */
export interface Work {
  readonly rows: number;
  /** Null if there are no rows. */
  readonly meanScore: number | null;
  /** By table name: columns with types, and a checksum over all rows, without columns that differ from run to run. */
  readonly tables?: Readonly<Record<string, TableWork>>;
  /** SHA-256 of the report file. */
  readonly csv?: string;
}

interface TableWork {
  readonly layout: string;
  readonly checksum: string;
}

/** Runs SQL. @returns rows; the SQL determines their columns */
type Ask = <T>(sql: string) => Promise<T[]>;

interface Count {
  readonly rows: number;
  readonly mean: number | null;
}

const MEMORY = '1GB';
const MEAN_TOLERANCE = 1e-4;
/** Columns that differ from run to run. */
const OWN_TO_A_RUN = ['run_id', 'scored_at'];
/** Only score-batch has a ledger, so it is not compared. */
const LEDGER = 'score_batch_ledger';
const SCORES = 'churn_scores';

/**
 * Drops what earlier cases wrote, so that every run publishes the week for the first time, as a weekly job does, and all peers
 * find the same file.
 */
export async function clearPublished(warehouse: string): Promise<void> {
  await withDatabase(warehouse, (ask) => ask('drop schema if exists marketing cascade'));
  rmSync(`${warehouse}.scratch`, { recursive: true, force: true });
  const folder = path.dirname(warehouse);
  for (const name of ['reports', 'out_daft', 'out_ray', 'out_pyspark', 'tmp_pyspark']) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

/** Rows and mean score of the Parquet files that a case wrote. */
export async function countScores(files: string): Promise<Work> {
  return await withDatabase(':memory:', (ask) => scoresIn(ask, `'${quoted(files)}'`));
}

/**
 * What a case published: rows and mean score, each table's columns with types, a checksum over its rows without columns that
 * differ from run to run, and the SHA-256 of the report file if there is one. Cases that did the same work have equal results.
 */
export async function publishedWork(warehouse: string, reportFile: string): Promise<Work> {
  const work = await withDatabase(warehouse, async (ask) => {
    const columns = await ask<{ table_name: string; layout: string }>(
      `select table_name, string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) as layout
       from information_schema.columns where table_schema = 'marketing' and table_name <> '${LEDGER}'
       group by table_name order by table_name`,
    );
    const tables: Record<string, TableWork> = {};
    for (const { table_name: table, layout } of columns) {
      const own = OWN_TO_A_RUN.filter((name) => layout.includes(`${name} `)).join(', ');
      const [found] = await ask<{ checksum: string }>(
        `select coalesce(sum(hash(one)), 0)::varchar as checksum from (select * exclude (${own}) from marketing.${table}) one`,
      );
      tables[table] = { layout, checksum: found?.checksum ?? '' };
    }
    return { ...(await scoresIn(ask, `marketing.${SCORES}`)), tables };
  });
  return { ...work, ...(existsSync(reportFile) && { csv: await digestOf(reportFile) }) };
}

/**
 * What is wrong with a case's work; undefined if nothing is.
 *
 * @param wantedRows rows that should have been scored
 * @param wanted what another case with the same task did; only what both have is compared
 */
export function faultOf(
  { rows, meanScore, tables, csv }: Work,
  wantedRows: number,
  wanted: Partial<Work> = {},
): string | undefined {
  if (rows !== wantedRows) return `wrote ${rows} rows instead of ${wantedRows}`;
  if (meanScore === null || !(Math.abs(meanScore - (wanted.meanScore ?? meanScore)) <= MEAN_TOLERANCE)) {
    return `has a mean score of ${meanScore} where another has ${wanted.meanScore}`;
  }
  if (tables && wanted.tables) {
    for (const name of new Set([...Object.keys(tables), ...Object.keys(wanted.tables)])) {
      const [mine, other] = [tables[name], wanted.tables[name]];
      if (mine === undefined || other === undefined) return `${mine ? 'has' : 'lacks'} the table ${name}, unlike another`;
      if (mine.layout !== other.layout) return `has the columns ${mine.layout} in ${name} where another has ${other.layout}`;
      if (mine.checksum !== other.checksum) return `has other rows in ${name} than another`;
    }
  }
  if (csv && wanted.csv && csv !== wanted.csv) return 'wrote another report file than another';
  return undefined;
}

async function scoresIn(ask: Ask, table: string): Promise<Work> {
  const [count] = await ask<Count>(`select count(*)::double as rows, avg(churn_propensity)::double as mean from ${table}`);
  return { rows: count?.rows ?? 0, meanScore: count?.mean ?? null };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function withDatabase<T>(database: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(database, { memory_limit: MEMORY });
  const connection = await instance.connect();
  try {
    return await work(async <R>(sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS() as R[]);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function quoted(text: string): string {
  return text.replaceAll("'", "''");
}
