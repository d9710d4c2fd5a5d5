// Runs many windows back to back in one process, then others three at a time in separate processes. Shows whether memory,
// handles and scratch stay flat, and whether every window is published exactly once.
//
//   npm run soak -- --windows 200 --parallel 60
//   npm run soak -- --kind bigquery                 on the emulator, whose environment the tests make
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import pLimit from 'p-limit';
import { generateUsers } from '../bench/users.ts';
import { runCommand } from '../src/commands/run.ts';
import type { Context } from '../src/context.ts';
import { NO_LIVE } from '../src/terminal/live.ts';
import { ROOT } from './root.ts';

type Row = Readonly<Record<string, unknown>>;

/** Answer of BigQuery's REST API. */
interface QueryAnswer {
  readonly schema: { readonly fields: readonly { readonly name: string }[] };
  readonly rows?: readonly { readonly f: readonly { readonly v: unknown }[] }[];
}

interface TablesAnswer {
  readonly tables?: readonly { readonly tableReference: { readonly tableId: string } }[];
}

/** The job's warehouse, of any kind. */
interface Soaked {
  /** The table of scores. */
  readonly scores: string;
  query(sql: string): Promise<readonly Row[]>;
  /** Leftovers in scratch. */
  scratch(): Promise<readonly string[]>;
  stop(): void;
}

const { values: flags } = parseArgs({
  options: {
    windows: { type: 'string', default: '200' },
    parallel: { type: 'string', default: '60' },
    'rows-per-window': { type: 'string', default: '500' },
    kind: { type: 'string', default: 'duckdb' },
  },
});
const folder = path.join(ROOT, 'bench');
const users = path.join(ROOT, '.bench', 'soak', 'users.duckdb');
const back = Number(flags.windows);
const beside = Number(flags.parallel);
const perWindow = Number(flags['rows-per-window']);
const SIDE_BY_SIDE = 3;
const say = (text: string) => process.stdout.write(`${text}\n`);

process.env.REPORTS = path.join(path.dirname(users), 'reports');
await generateUsers(users, (back + beside) * perWindow);
await query(`update users set signup_date = date '2025-01-01' + cast(user_id // ${perWindow} as integer)`);
const warehouse = flags.kind === 'bigquery' ? await onBigquery() : onDuckdb();
const windows = Array.from({ length: back + beside }, (_, day) =>
  new Date(Date.UTC(2025, 0, 1 + day)).toISOString().slice(0, 10),
);

say(`${back} windows of ${perWindow} rows, one after the other in one process`);
const samples: Record<string, number>[] = [];
for (const date of windows.slice(0, back)) {
  await runHere(date);
  samples.push(await sample());
}
// Caches of Node, ONNX Runtime and DuckDB fill up first.
const settled = Math.floor(back / 4);
for (const what of Object.keys(samples[0] ?? {})) {
  const values = samples.map((one) => one[what] ?? Number.NaN).slice(settled);
  const half = Math.floor(values.length / 2);
  const [before, after] = [median(values.slice(0, half)), median(values.slice(half))];
  say(
    `  ${what.padEnd(24)} after ${settled} windows ${before}, at the end ${after} (least ${Math.min(...values)}, most ${Math.max(...values)})`,
  );
}

say(`${beside} windows, ${SIDE_BY_SIDE} at a time in processes of their own`);
const limit = pLimit(SIDE_BY_SIDE);
const ends = await Promise.all(windows.slice(back).map((date) => limit(() => runApart(date))));
const counted: Record<string, number> = {};
for (const { code, attempts } of ends) {
  counted[`exit ${code}`] = (counted[`exit ${code}`] ?? 0) + 1;
  counted['started again after 75'] = (counted['started again after 75'] ?? 0) + attempts - 1;
}
say(`  ${JSON.stringify(counted)}`);

const found = await warehouse.query(
  `select window_label, count(*) as scored, count(distinct run_id) as runs from ${warehouse.scores} group by window_label`,
);
const wrong = found.filter(({ scored, runs }) => Number(scored) !== perWindow || Number(runs) !== 1);
say(`published: ${found.length} windows; of two runs, or of another number of rows: ${wrong.length}`);
say(`left in scratch: ${JSON.stringify(await warehouse.scratch())}`);
warehouse.stop();
process.exitCode = wrong.length === 0 && found.length === back + beside ? 0 : 1;

function onDuckdb(): Soaked {
  process.env.WAREHOUSE_URL = `duckdb:${users}`;
  const scratch = async () => readdirSync(`${users}.scratch`).filter((name) => name !== 'tmp');
  return { scores: 'marketing.churn_scores', query, scratch, stop() {} };
}

async function onBigquery(): Promise<Soaked> {
  const { startWithTable } = await import('../bench/emulator.ts');
  const { rest, grpc, stop } = await startWithTable(users);
  Object.assign(process.env, {
    WAREHOUSE_URL: 'bigquery://bench/shop',
    BIGQUERY_EMULATOR_HOST: rest,
    BIGQUERY_STORAGE_EMULATOR_HOST: grpc,
    METADATA_SERVER_DETECTION: 'none',
  });
  const ask = async <T>(uri: string, body?: object): Promise<T> => {
    const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${rest}/bigquery/v2/projects/bench${uri}`, sent);
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  };
  return {
    scores: 'marketing.churn_scores',
    async query(sql) {
      const { schema, rows = [] } = await ask<QueryAnswer>('/queries', { query: sql, useLegacySql: false });
      return rows.map(({ f }) => Object.fromEntries(schema.fields.map(({ name }, i) => [name, f[i]?.v])));
    },
    scratch: async () =>
      ((await ask<TablesAnswer>('/datasets/scratch/tables')).tables ?? []).map(({ tableReference }) => tableReference.tableId),
    stop,
  };
}

async function runHere(date: string): Promise<void> {
  const silent = { info() {}, warn() {}, debug() {}, error() {}, live: NO_LIVE };
  const closing: (() => Promise<void>)[] = [];
  const context: Context = {
    folder,
    environment: process.env,
    maxMemory: undefined,
    now: Date.now(),
    console: silent,
    subject: {},
    signal: new AbortController().signal,
    began: performance.now(),
    serving: () => undefined,
    atEnd: (work) => {
      closing.push(work);
    },
  };
  try {
    await runCommand({ job: 'soak', date }, context);
  } finally {
    await Promise.all(closing.map((close) => close()));
  }
}

/** Runs a date in separate processes: retries on exit code 75, up to five attempts. */
async function runApart(date: string): Promise<{ code: number | null; attempts: number }> {
  for (let attempts = 1; ; attempts += 1) {
    const code = await new Promise<number | null>((resolve, reject) => {
      const args = [path.join(ROOT, 'dist', 'cli.js'), '--job', 'soak', '--date', date, '-q'];
      const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 75 || attempts === 5) return { code, attempts };
  }
}

async function sample(): Promise<Record<string, number>> {
  globalThis.gc?.();
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return {
    'resident MiB': Math.round(of('VmRSS') / 1024),
    'heap MiB': Math.round(process.memoryUsage().heapUsed / 1024 / 1024),
    'open files': readdirSync('/proc/self/fd').length,
    threads: of('Threads'),
    'active resources': process.getActiveResourcesInfo().length,
    'left in scratch': (await warehouse.scratch()).length,
  };
}

async function query(sql: string): Promise<readonly Row[]> {
  const instance = await DuckDBInstance.create(users);
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
