import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';
import { ROOT } from '../scripts/root.ts';
import { generateUsers } from './users.ts';

// A BigQuery emulator with a table of generated users, for benchmarks. The tests create its Python environment: run them once.

/** A running emulator and the addresses of its REST and gRPC APIs. */
export interface Emulator {
  readonly rest: string;
  readonly grpc: string;
  stop(): void;
}

/** Python interpreter of the emulator's environment. */
export const python = findPython();

/** Folder of the data generated for this many rows. */
export function dataFolder(rows: number): string {
  return path.join(ROOT, '.bench', String(rows));
}

/** An emulator with generated users; see `startWithTable`. */
export async function startWithUsers(rows: number): Promise<Emulator> {
  const users = path.join(dataFolder(rows), 'users.duckdb');
  if (!existsSync(users)) await generateUsers(users, rows);
  return await startWithTable(users);
}

/**
 * An emulator with the users of a DuckDB file as its table `bench.shop.users`. It ends when its standard input closes, or on
 * request.
 */
export async function startWithTable(users: string): Promise<Emulator> {
  const folder = path.dirname(users);
  const parquet = path.join(folder, 'users.parquet');
  if (!existsSync(parquet)) await writeParquet(users, parquet);
  const emulator = await startEmulator(path.join(folder, 'home'));
  await load(emulator.rest, parquet);
  return emulator;
}

/** What a command writes to stdout. @throws Error if it fails */
export function output(command: string, args: readonly string[], environment: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: path.join(ROOT, 'bench'),
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

function findPython(): string {
  const folder = path.join(ROOT, '.emulators');
  const name = existsSync(folder) && readdirSync(folder).find((entry) => /^bigquery-[0-9a-f]{12}$/.test(entry));
  if (name) return path.join(folder, name, 'bin', 'python');
  process.stderr.write(
    'error: the emulator is not there\nhint: `npx vitest run --project emulators test/emulators` makes it\n',
  );
  process.exit(1);
}

async function writeParquet(users: string, parquet: string): Promise<void> {
  const instance = await DuckDBInstance.create(users);
  const connection = await instance.connect();
  await connection.run(`copy users to '${parquet.replaceAll("'", "''")}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}

async function startEmulator(home: string): Promise<Emulator> {
  mkdirSync(home, { recursive: true });
  const child = spawn(python, [path.join(ROOT, 'test/emulators/run_bigquery.py')], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the emulator did not start')));
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  return {
    ...(JSON.parse(line) as Pick<Emulator, 'rest' | 'grpc'>),
    stop() {
      child.once('exit', () => rmSync(home, { recursive: true, force: true }));
      child.stdin.end();
    },
  };
}

/** A load job from a local file, which only the emulator accepts. */
async function load(rest: string, parquet: string): Promise<void> {
  const send = async (uri: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${rest}/bigquery/v2/projects/bench${uri}`, {
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
