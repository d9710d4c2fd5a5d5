import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';
import { type WarehouseKind, warehouseKind } from '../../src/domain/warehouse-kind.ts';
import { repository, temporaryFolder } from '../support/project.ts';
import { type Outcome, scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { fillBigquery, fillDuckdb, fillSnowflake, listTables, makeDataset, runSnowflake } from './shop.ts';

// The demo's job, unchanged but for the two URLs, with every kind of warehouse as source and as sink.

export const bigquery = inject('bigquery');
export const snowflake = inject('snowflake');
export const missing = {
  duckdb: false,
  bigquery: bigquery === undefined,
  snowflake: snowflake === undefined,
} satisfies Record<WarehouseKind, boolean>;

/** Where a command finds the emulators. */
export const ENVIRONMENT = {
  BIGQUERY_EMULATOR_HOST: bigquery?.rest,
  BIGQUERY_STORAGE_EMULATOR_HOST: bigquery?.grpc,
  SNOWFLAKE_ACCESS_URL: snowflake?.url,
  SNOWFLAKE_USER: 'fake',
  SNOWFLAKE_PASSWORD: 'snow',
};

/** Names that no other test of this run has: the job publishes to the same tables in every one. */
const ownProject = (): string => `shop-${randomBytes(4).toString('hex')}`;
const ownDatabase = (): string => `SHOP_${randomBytes(4).toString('hex')}`.toUpperCase();

/** Makes a warehouse that has the orders. @returns its URL */
export const FILL: Readonly<Record<WarehouseKind, () => Promise<string>>> = {
  async duckdb() {
    const folder = await temporaryFolder();
    await fillDuckdb(path.join(folder, 'shop.duckdb'));
    return `duckdb:${folder}/shop.duckdb`;
  },
  async bigquery() {
    const project = ownProject();
    if (bigquery) await fillBigquery(bigquery, project, 'shop');
    return `bigquery://${project}/shop`;
  },
  async snowflake() {
    const database = ownDatabase();
    if (snowflake) await fillSnowflake(snowflake, database);
    return `snowflake://fakesnow/${database}/PUBLIC?warehouse=W`;
  },
};

/** A warehouse without anything. @returns its URL */
export const EMPTY: Readonly<Record<WarehouseKind, () => Promise<string>>> = {
  duckdb: async () => `duckdb:${await temporaryFolder()}/scores.duckdb`,
  async bigquery() {
    const project = ownProject();
    if (bigquery) await makeDataset(bigquery, project, 'shop');
    return `bigquery://${project}/shop`;
  },
  snowflake: async () => `snowflake://fakesnow/${ownDatabase()}/PUBLIC?warehouse=W`,
};

/** What is in scratch of a warehouse. @param url as `FILL` and `EMPTY` give it */
export async function leftInScratch(url: string): Promise<string[]> {
  const [, owner = '', name = ''] = /^\w+:(?:\/\/)?([^/]*)\/([^/?]*)/.exec(url) ?? [];
  switch (warehouseKind(url)) {
    case 'bigquery':
      return bigquery ? await listTables(bigquery, owner, 'scratch') : [];
    case 'snowflake': {
      const sql = "select table_name as name from information_schema.tables where table_schema = 'SCRATCH'";
      const rows = snowflake ? await runSnowflake(snowflake, name, [sql]) : [];
      return rows.map(({ NAME }) => String(NAME));
    }
    default:
      return await readdir(`${url.slice('duckdb:'.length)}.scratch`);
  }
}

interface ProjectEdits {
  readonly edit?: (job: string) => string;
  /** For the query and its twins. */
  readonly editQuery?: (sql: string) => string;
}

/** A checkout of the job in a temporary folder. */
export async function weeklyProject(edits: ProjectEdits = {}): Promise<string> {
  const folder = await temporaryFolder();
  await copyJob(folder, edits);
  return folder;
}

/** Puts the job, its queries and its model into a folder. */
export async function copyJob(folder: string, { edit = same, editQuery = same }: ProjectEdits = {}): Promise<void> {
  await mkdir(path.join(folder, 'jobs'));
  await cp(repository('models', 'churn'), path.join(folder, 'models', 'churn'), { recursive: true });
  const write = async (file: string, change: (text: string) => string) =>
    await writeFile(path.join(folder, 'jobs', file), change(await readFile(repository('jobs', file), 'utf8')));
  for (const file of ['new_users.sql', 'new_users.bigquery.sql']) await write(file, editQuery);
  await write('outcomes.sql', same);
  await write('churn-weekly.yaml', (job) => edit(replaced(job, 'sink:', `sink:\n  warehouse: $\{SINK_URL}`)));
}

/** @throws Error where there is nothing to replace: an unchanged job would test something else */
export function replaced(text: string, part: string, by: string): string {
  if (!text.includes(part)) throw new Error(`there is no ${part}`);
  return text.replace(part, by);
}

function same(text: string): string {
  return text;
}

export interface Week {
  readonly csv: string;
  readonly runs: readonly { readonly state: string; readonly current: boolean; readonly rows: unknown }[];
}

/** Runs the week to its end, in a checkout of its own. @throws Error with what was said on stderr where it does not end well */
export async function runWeek(source: string, sink: string, edits: ProjectEdits = {}): Promise<Week> {
  const folder = await weeklyProject(edits);
  const outcome = await scoreBatch(folder, ['--week'], weekEnvironment(source, sink));
  if (outcome.code !== 0) throw new Error(outcome.stderr);
  return await weekOf(folder, source, sink);
}

/** What a process of the job needs in its environment. */
export function weekEnvironment(source: string, sink: string): NodeJS.ProcessEnv {
  return { ...ENVIRONMENT, WAREHOUSE_URL: source, SINK_URL: sink };
}

/** Runs the week once in a process of its own, however it ends. */
export function startWeek(folder: string, source: string, sink: string, environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return startScoreBatch(folder, ['--week'], { ...weekEnvironment(source, sink), ...environment }).ended;
}

/** What is there of the week: the report, and what the ledger says. */
export async function weekOf(folder: string, source: string, sink: string): Promise<Week> {
  const status = await scoreBatch(folder, ['status', '--json'], weekEnvironment(source, sink));
  return {
    csv: await readFile(path.join(folder, 'reports', 'churn-1997-W11.csv'), 'utf8'),
    runs: (JSON.parse(status.stdout) as { runs: Week['runs'] }).runs,
  };
}

let expected: Promise<string> | undefined;

/** The report that the embedded warehouse gives. */
export function expectedCsv(): Promise<string> {
  expected ??= FILL.duckdb()
    .then((url) => runWeek(url, url))
    .then(({ csv }) => csv);
  return expected;
}
