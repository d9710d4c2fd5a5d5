import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { query } from '../support/project.ts';
import { WAREHOUSE } from '../support/steer.ts';
import type { CrashProject } from './project.ts';

/** A project of a DuckDB file as one whose processes are killed. */
export async function fileProject(folder: string): Promise<Omit<CrashProject, 'users' | 'kept'>> {
  const TMPDIR = path.join(folder, 'tmp');
  await mkdir(TMPDIR, { recursive: true });
  const file = path.join(folder, WAREHOUSE);
  const rows = (sql: string) => query(file, sql);
  return {
    folder,
    environment: { TMPDIR },
    rows,
    tables: async () => (await rows('select table_name as name from duckdb_tables()')).map(({ name }) => String(name)),
    scratch: () => readdir(`${file}.scratch`),
  };
}
