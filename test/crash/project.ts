import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';
import { listTables, makeDataset, runBigquery, runSnowflake } from '../across/shop.ts';
import { explainedProject } from '../support/explained-project.ts';
import { query } from '../support/project.ts';
import type { Route } from './effects.ts';

// A job as small as can be that still has every durable effect: 60 rows in three chunks, one of them quarantined.

/** A job's folder with a warehouse of its own, which is source and sink. */
export interface CrashProject {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Rows of a query of the warehouse, names in lower case. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** Names of the tables in the schema `marketing`, in order and in lower case. */
  tables(): Promise<string[]>;
  /** Names of what is in scratch. */
  scratch(): Promise<string[]>;
  /** Name of the source's table in a statement. */
  readonly users: string;
  /** What a query can read the kept rows of runs from. */
  kept(): Promise<string[]>;
}

const bigquery = inject('bigquery');
const snowflake = inject('snowflake');

export const missing = {
  duckdb: false,
  tapped: false,
  bigquery: bigquery === undefined,
  snowflake: snowflake === undefined,
} satisfies Record<Route, boolean>;

export const CHUNKS = 3;
const CHUNK_ROWS = 20;
/** Blocks of outcomes, one for each batch, where rows are not frozen. */
export const BLOCKS = 4;
const USERS = Array.from({ length: CHUNKS * CHUNK_ROWS }, (_, i) => {
  // Out of the model's range: one row for the quarantine.
  const a = i === 7 ? '1000.0' : `${(i % 20) / 10 + 0.01}`;
  const b = i % 10 === 3 ? 'null' : `${(i % 13) / 10 + 0.01}`;
  return `(${i}, date '1997-03-1${i % 7}', ${a}, ${b}, '${['US', 'DE', 'FR'][i % 3]}')`;
}).join(', ');

/** A key that is there twice, which makes a file of its own where rows are not frozen. */
const TWICE = Array.from({ length: 2 }, (_, i) => `(1000, date '1997-03-11', ${i}, 0.5, 'US')`).join(', ');
const BATCH_ROWS = Math.ceil((CHUNKS * CHUNK_ROWS + 2) / BLOCKS);

/** Every kind of report file. */
const FILES = `  parquet: reports/linear-{window}.parquet
  xlsx: reports/linear-{window}.xlsx
  page: reports/linear-{window}.html
  csv:`;

/** What the job of a DuckDB file has besides. */
const EDITS: Readonly<Partial<Record<Route, (job: string) => string>>> = {
  tapped: (job) => job.replace('score:\n', `score:\n  batch_rows: ${BATCH_ROWS}\n`),
};

interface CrashProjectOptions {
  /** Further changes of the job file. */
  readonly edit?: (job: string) => string;
}

/** A fresh project; nothing has run in it. */
export async function crashProject(route: Route, { edit = (job) => job }: CrashProjectOptions = {}): Promise<CrashProject> {
  const users = route === 'tapped' ? `${USERS}, ${TWICE}` : USERS;
  const folder = await explainedProject({
    reasons: '{ top: 10, features: 2 }',
    freeze: route === 'duckdb' ? 'always' : undefined,
    users: `select * from (values ${users}) as users(user_id, signup, a, b, country)`,
    edit: (job) =>
      edit(EDITS[route]?.(job) ?? job)
        .replace('warehouse: duckdb:data/warehouse.duckdb', `warehouse: $\{WAREHOUSE_URL}`)
        .replace('  csv:', FILES)
        .replace('chunk_rows: 10', `chunk_rows: ${CHUNK_ROWS}`)
        .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 5%'),
  });
  // Work folders of runs are made in it.
  const TMPDIR = path.join(folder, 'tmp');
  await mkdir(TMPDIR);
  const { environment, ...warehouse } = await FILL[route](folder);
  return { folder, environment: { TMPDIR, ...environment }, ...warehouse };
}

/** The project of a DuckDB file in a folder. */
export function duckdbProject(folder: string): CrashProject {
  const { environment, ...warehouse } = fillDuckdb(folder);
  return { folder, environment: { TMPDIR: path.join(folder, 'tmp'), ...environment }, ...warehouse };
}

function fillDuckdb(folder: string): Omit<CrashProject, 'folder'> {
  const file = path.join(folder, 'data', 'warehouse.duckdb');
  const rows = (sql: string) => query(file, sql);
  return {
    environment: { WAREHOUSE_URL: `duckdb:${file}` },
    rows,
    tables: async () => names(await rows("select table_name as name from duckdb_tables() where schema_name = 'marketing'")),
    scratch: () => readdir(`${file}.scratch`, { recursive: true }),
    users: 'users',
    kept: async () => [`read_parquet('${file}.scratch/*/frozen/rows/*.parquet')`],
  };
}

const FILL: Readonly<Record<Route, (folder: string) => Omit<CrashProject, 'folder'> | Promise<Omit<CrashProject, 'folder'>>>> =
  {
    duckdb: fillDuckdb,
    tapped: fillDuckdb,
    async bigquery() {
      if (bigquery === undefined) throw new Error('there is no emulator of BigQuery');
      const project = `crash-${randomBytes(6).toString('hex')}`;
      await makeDataset(bigquery, project, 'shop');
      const rows = (sql: string) => runBigquery(bigquery, project, sql);
      await rows('create table shop.users (user_id int64, signup date, a float64, b float64, country string)');
      await rows(`insert into shop.users values ${USERS}`);
      return {
        environment: {
          WAREHOUSE_URL: `bigquery://${project}/shop`,
          BIGQUERY_EMULATOR_HOST: bigquery.rest,
          BIGQUERY_STORAGE_EMULATOR_HOST: bigquery.grpc,
        },
        rows,
        tables: async () => (await listTables(bigquery, project, 'marketing')).sort(),
        scratch: () => listTables(bigquery, project, 'scratch'),
        users: 'shop.users',
        kept: async () => frozenTables(await listTables(bigquery, project, 'scratch')).map((name) => `\`${name}\``),
      };
    },
    async snowflake() {
      if (snowflake === undefined) throw new Error('there is no emulator of Snowflake');
      const database = `CRASH_${randomBytes(6).toString('hex')}`.toUpperCase();
      const run = async (...list: string[]) => (await runSnowflake(snowflake, database, list)).map(inLowerCase);
      await run(
        'create table users (user_id number(18, 0), signup date, a float, b float, country varchar)',
        `insert into users values ${USERS}`,
      );
      const inSchema = (what: string, schema: string) =>
        `select ${what}_name as name from information_schema.${what}s where ${what}_schema = '${schema}'`;
      return {
        environment: {
          WAREHOUSE_URL: `snowflake://fakesnow/${database}/PUBLIC?warehouse=W`,
          SNOWFLAKE_ACCESS_URL: snowflake.url,
          SNOWFLAKE_USER: 'fake',
          SNOWFLAKE_PASSWORD: 'snow',
        },
        rows: (sql) => run(sql),
        tables: async () => names(await run(inSchema('table', 'MARKETING'))),
        scratch: async () => names([...(await run(inSchema('table', 'SCRATCH'))), ...(await run('show stages'))]),
        users: 'users',
        kept: async () => frozenTables(names(await run(inSchema('table', 'SCRATCH')))),
      };
    },
  };

function frozenTables(scratch: readonly string[]): string[] {
  return scratch.filter((name) => name.startsWith('score_batch_frozen_')).map((name) => `scratch.${name}`);
}

function names(rows: readonly Record<string, unknown>[]): string[] {
  return rows.map(({ name }) => String(name).toLowerCase()).sort();
}

function inLowerCase(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value]));
}
