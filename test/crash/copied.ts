import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stampsOf } from '../../src/warehouse/duckdb/stamp.ts';
import { keptFolder } from '../support/kept.ts';
import { temporaryFolder } from '../support/project.ts';
import { SCRATCH } from '../support/steer.ts';
import { type CrashProject, duckdbProject } from './project.ts';

/** A copy of a project of a DuckDB file that stays until all tests of the file have ended. @returns its folder */
export async function keptCopy({ folder }: Pick<CrashProject, 'folder'>): Promise<string> {
  const kept = await keptFolder();
  await cp(folder, kept, { recursive: true, verbatimSymlinks: true });
  return kept;
}

/** The project of a DuckDB file as it is in a folder, in a folder of its own. */
export async function projectCopy(from: string): Promise<CrashProject> {
  const folder = await temporaryFolder();
  await cp(from, folder, { recursive: true, verbatimSymlinks: true });
  await mkdir(path.join(folder, 'tmp'), { recursive: true });
  await stampAgain(folder);
  return duckdbProject(folder);
}

/** Makes rows that are kept count as unchanged: their files are new ones. */
async function stampAgain(folder: string): Promise<void> {
  const scratch = path.join(folder, SCRATCH);
  for (const run of await readdir(scratch).catch(() => [])) {
    const frozen = path.join(scratch, run, 'frozen');
    const files = (await readdir(frozen, { recursive: true })).filter((name) => name.endsWith('.parquet'));
    const manifest = JSON.parse(await readFile(path.join(frozen, 'frozen.json'), 'utf8'));
    const stamps = await stampsOf(files.map((name) => path.join(frozen, name)));
    await writeFile(path.join(frozen, 'frozen.json'), JSON.stringify({ ...manifest, stamps }));
  }
}
