import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import { keptFolder } from './kept.ts';

/** Absolute path of something in the repository. */
export function repository(...parts: string[]): string {
  return path.join(fileURLToPath(new URL('../..', import.meta.url)), ...parts);
}

/** An empty folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface ProjectOptions {
  /** Statements that fill `data/warehouse.duckdb`. */
  readonly warehouse: readonly string[];
  /** Text of `jobs/job.yaml`; `model: model` is the bundle that was copied. */
  readonly job: string;
  /** Folder of the bundle, copied to `model`. */
  readonly model: string;
  /** Further files by path inside the project. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A project in a temporary folder: job, model bundle and a real DuckDB warehouse. */
export async function makeProject({ warehouse, job, model, files = {} }: ProjectOptions): Promise<string> {
  const folder = await temporaryFolder();
  await cp(model, path.join(folder, 'model'), { recursive: true });
  for (const [name, text] of Object.entries({ 'jobs/job.yaml': job, ...files })) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  await mkdir(path.join(folder, 'data'));
  await copyFile(await filled(warehouse), path.join(folder, 'data', 'warehouse.duckdb'));
  return folder;
}

const filledFiles = new Map<string, Promise<string>>();

/** A DuckDB file after these statements, to be copied: many projects of a file begin with the same tables. */
function filled(list: readonly string[]): Promise<string> {
  const key = list.join(';\n');
  const known = filledFiles.get(key) ?? fill(list);
  filledFiles.set(key, known);
  return known;
}

async function fill(list: readonly string[]): Promise<string> {
  const file = path.join(await keptFolder(), 'warehouse.duckdb');
  await statements(file, list);
  return file;
}

/** Runs statements on a DuckDB file, which is created if it is not there, and closes it. */
export async function statements(file: string, list: readonly string[]): Promise<void> {
  await withDatabase(file, async (run) => {
    for (const statement of list) await run(statement);
  });
}

/** All rows of a query as objects of JSON values; 64-bit integers and decimals as text. */
export async function query(file: string, sql: string): Promise<Record<string, unknown>[]> {
  return await withDatabase(file, (run) => run(sql));
}

async function withDatabase<T>(
  file: string,
  work: (run: (sql: string) => Promise<Record<string, unknown>[]>) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return await work(async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
