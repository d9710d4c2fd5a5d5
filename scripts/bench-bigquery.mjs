// Rows per second that a whole run reads from BigQuery and stages back, beside a plain Python reader of the same rows from the
// same emulator, A B A B … in one call. The tests make the emulator's Python environment; run them once before.
//
//   npm run bench:bigquery -- --rows 1000000 --runs 3
//
// The emulator shares the machine's cores with what is measured: figures compare the two readers and say nothing of Google's.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { generateUsers } from './bench-users.mjs';

const { values: flags } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const data = path.join(root, '.bench', flags.rows);
const rows = Number(flags.rows);
const python = findPython();
const say = (text) => process.stdout.write(`${text}\n`);

if (!existsSync(path.join(data, 'users.duckdb'))) await generateUsers(path.join(data, 'users.duckdb'), rows);
const parquet = path.join(data, 'users.parquet');
if (!existsSync(parquet)) await writeParquet();
const emulator = await startEmulator();
try {
  await load();
  const ours = [];
  const theirs = [];
  for (let run = 0; run < Number(flags.runs); run += 1) {
    ours.push(await scoreBatch());
    theirs.push(await reader());
  }
  const rate = (seconds) => Math.round(rows / seconds);
  const show = (name, rates) => say(`${name}: ${median(rates)} rows/s (${rates.join(' ')})`);
  show(
    'score-batch, read by the chunk workers',
    ours.map(({ read }) => rate(read)),
  );
  show(
    'python reader',
    theirs.map(({ seconds }) => rate(seconds)),
  );
  show(
    'score-batch, written and staged',
    ours.map(({ stage }) => rate(stage)),
  );
  say(
    `seconds per stage (medians): ${Object.keys(ours[0])
      .map((stage) => `${stage} ${median(ours.map((run) => run[stage])).toFixed(2)}`)
      .join(' · ')}`,
  );
} finally {
  emulator.stop();
}

function findPython() {
  const folder = path.join(root, '.emulators');
  const name = existsSync(folder) && readdirSync(folder).find((entry) => /^bigquery-[0-9a-f]{12}$/.test(entry));
  if (name) return path.join(folder, name, 'bin', 'python');
  process.stderr.write('error: the emulator is not there\nhint: `npm run unit -- --project emulators` makes it\n');
  process.exit(1);
}

async function writeParquet() {
  const instance = await DuckDBInstance.create(path.join(data, 'users.duckdb'));
  const connection = await instance.connect();
  await connection.run(`copy users to '${parquet.replaceAll("'", "''")}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}

/** Starts the emulator; it ends with its standard input. */
async function startEmulator() {
  const home = path.join(data, 'home');
  mkdirSync(home, { recursive: true });
  const child = spawn(python, [path.join(root, 'test/emulators/run_bigquery.py')], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const line = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the emulator did not start')));
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  return {
    ...JSON.parse(line),
    stop() {
      child.once('exit', () => rmSync(home, { recursive: true, force: true }));
      child.stdin.end();
    },
  };
}

/** A load job from a local file, which only the emulator can be asked for. */
async function load() {
  const send = async (uri, body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${emulator.rest}/bigquery/v2/projects/bench${uri}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok || text.includes('errorResult')) throw new Error(text);
  };
  await send('/datasets', { datasetReference: { projectId: 'bench', datasetId: 'shop' } });
  const fields = [
    ['user_id', 'INT64'],
    ['signup_date', 'DATE'],
    ...Array.from({ length: 20 }, (_, k) => [`f${k}`, k < 10 ? 'INT64' : 'FLOAT64']),
    ['country', 'STRING'],
    ['plan', 'STRING'],
  ].map(([name, type]) => ({ name, type }));
  const destinationTable = { projectId: 'bench', datasetId: 'shop', tableId: 'users' };
  const configuration = {
    load: { destinationTable, sourceFormat: 'PARQUET', sourceUris: [`file://${parquet}`], schema: { fields } },
  };
  await send('/jobs', { configuration });
}

/** @returns seconds per stage of a whole run */
async function scoreBatch() {
  const args = [`${root}dist/cli.js`, '--job', 'bench', '--week', '2026-W32', '--json', '-q'];
  const stdout = await output(process.execPath, args, {
    WAREHOUSE_URL: 'bigquery://bench/shop',
    REPORTS: path.join(data, 'reports'),
    BIGQUERY_EMULATOR_HOST: emulator.rest,
    BIGQUERY_STORAGE_EMULATOR_HOST: emulator.grpc,
    METADATA_SERVER_DETECTION: 'none',
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)).seconds;
}

async function reader() {
  return JSON.parse(await output(python, [path.join(root, 'bench/bigquery_reader.py'), emulator.grpc, 'bench', 'shop'], {}));
}

function output(command, args, environment) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: path.join(root, 'bench'),
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(stdout) : reject(new Error(`${command} ended with ${code}`))));
  });
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
