// Runs many windows back to back in one process, then others three at a time in processes of their own, and shows whether memory,
// handles and scratch stay flat, and whether every window is published exactly once.
//
//   npm run soak -- --windows 200 --parallel 60
//   npm run soak -- --kind bigquery                 on the emulator, whose environment the tests make
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import pLimit from 'p-limit';
import { runCommand } from '../.modules/commands/run.js';
import { generateUsers } from './bench-users.mjs';

const { values: flags } = parseArgs({
  options: {
    windows: { type: 'string', default: '200' },
    parallel: { type: 'string', default: '60' },
    'rows-per-window': { type: 'string', default: '500' },
    kind: { type: 'string', default: 'duckdb' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(root, 'bench');
const users = path.join(root, '.bench', 'soak', 'users.duckdb');
const back = Number(flags.windows);
const beside = Number(flags.parallel);
const perWindow = Number(flags['rows-per-window']);
const SIDE_BY_SIDE = 3;
const say = (text) => process.stdout.write(`${text}\n`);

process.env.REPORTS = path.join(path.dirname(users), 'reports');
await generateUsers(users, (back + beside) * perWindow);
await query(`update users set signup_date = date '2025-01-01' + cast(user_id // ${perWindow} as integer)`);
const warehouse = flags.kind === 'bigquery' ? await onBigquery() : onDuckdb();
const windows = Array.from({ length: back + beside }, (_, day) =>
  new Date(Date.UTC(2025, 0, 1 + day)).toISOString().slice(0, 10),
);

say(`${back} windows of ${perWindow} rows, one after the other in one process`);
const samples = [];
for (const date of windows.slice(0, back)) {
  await runHere(date);
  samples.push(await sample());
}
// Caches of Node, ONNX Runtime and DuckDB fill first.
const settled = Math.floor(back / 4);
for (const what of Object.keys(samples[0])) {
  const values = samples.map((one) => one[what]).slice(settled);
  const half = Math.floor(values.length / 2);
  const [before, after] = [median(values.slice(0, half)), median(values.slice(half))];
  say(
    `  ${what.padEnd(24)} after ${settled} windows ${before}, at the end ${after} (least ${Math.min(...values)}, most ${Math.max(...values)})`,
  );
}

say(`${beside} windows, ${SIDE_BY_SIDE} at a time in processes of their own`);
const limit = pLimit(SIDE_BY_SIDE);
const ends = await Promise.all(windows.slice(back).map((date) => limit(() => runApart(date))));
const counted = {};
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

function onDuckdb() {
  process.env.WAREHOUSE_URL = `duckdb:${users}`;
  const scratch = async () => readdirSync(`${users}.scratch`).filter((name) => name !== 'tmp');
  return { scores: 'marketing.churn_scores', query, scratch, stop() {} };
}

async function onBigquery() {
  const { startWithTable } = await import('./bench-emulator.mjs');
  const { rest, grpc, stop } = await startWithTable(users);
  Object.assign(process.env, {
    WAREHOUSE_URL: 'bigquery://bench/shop',
    BIGQUERY_EMULATOR_HOST: rest,
    BIGQUERY_STORAGE_EMULATOR_HOST: grpc,
    METADATA_SERVER_DETECTION: 'none',
  });
  const ask = async (uri, body) => {
    const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${rest}/bigquery/v2/projects/bench${uri}`, sent);
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  };
  return {
    scores: 'marketing.churn_scores',
    async query(sql) {
      const { schema, rows = [] } = await ask('/queries', { query: sql, useLegacySql: false });
      return rows.map(({ f }) => Object.fromEntries(schema.fields.map(({ name }, i) => [name, f[i].v])));
    },
    scratch: async () =>
      ((await ask('/datasets/scratch/tables')).tables ?? []).map(({ tableReference }) => tableReference.tableId),
    stop,
  };
}

async function runHere(date) {
  const silent = { info() {}, warn() {}, debug() {}, error() {}, progress: () => ({ advance() {}, stop() {} }) };
  const closing = [];
  const context = {
    folder,
    environment: process.env,
    now: Date.now(),
    console: silent,
    signal: new AbortController().signal,
    began: performance.now(),
    atEnd: (work) => closing.push(work),
  };
  try {
    await runCommand({ job: 'soak', date }, context);
  } finally {
    await Promise.all(closing.map((close) => close()));
  }
}

/** A backfill that is told to look and retry does so. */
async function runApart(date) {
  for (let attempts = 1; ; attempts += 1) {
    const code = await new Promise((resolve, reject) => {
      const args = [path.join(root, 'dist', 'cli.js'), '--job', 'soak', '--date', date, '-q'];
      const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 75 || attempts === 5) return { code, attempts };
  }
}

async function sample() {
  globalThis.gc?.();
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return {
    'resident MiB': Math.round(of('VmRSS') / 1024),
    'heap MiB': Math.round(process.memoryUsage().heapUsed / 1024 / 1024),
    'open files': readdirSync('/proc/self/fd').length,
    threads: of('Threads'),
    'active resources': process.getActiveResourcesInfo().length,
    'left in scratch': (await warehouse.scratch()).length,
  };
}

async function query(sql) {
  const instance = await DuckDBInstance.create(users);
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
