import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import type { LinearOptions } from './linear-project.ts';
import { linearProject } from './linear-project.ts';
import { temporaryFolder } from './project.ts';
import type { Running } from './score-batch.ts';

// Hitting a run in a chosen moment. What is waited for and the time that it takes only steer: no test passes or fails by it.

export const WAREHOUSE = 'data/warehouse.duckdb';
export const SCRATCH = `${WAREHOUSE}.scratch`;
export const CSV = 'reports/linear-1997-W11.csv';

/** An attempt in staging: `data/warehouse.duckdb.scratch/RUN/staged/chunk-N-ATTEMPT.parquet` */
export const STAGED = /\/staged\/chunk-\d+-[0-9a-f]+\.parquet$/;
export const FREEZING = /\/freezing-[0-9a-f]+$/;
/** What publish writes just before its transaction. */
export const RANKED = /\/ranked-[0-9a-f]+_0\.parquet$/;
/** The report file before it has its name. */
export const PENDING_CSV = /\/\.linear-1997-W11\.csv\.[^/]+$/;

const CHUNK_ROWS = 1000;
export const CHUNKS = 12;

/** A project whose run takes measurable time: 12 frozen chunks on a slow model, 0.5 % of the rows quarantined (a out of range). */
export function slowProject({ edit = (job) => job, ...options }: LinearOptions = {}): Promise<string> {
  return linearProject({
    model: 'slow',
    users: `
      select i as user_id, date '1997-03-10' + cast(i % 7 as integer) as signup,
        case when i % 200 = 7 then 1000.0 else (i % 2000) / 1000.0 end as a,
        case when i % 10 = 3 then null else (i % 1300) / 1000.0 end as b,
        ['US', 'DE', 'FR'][1 + i % 3] as country
      from range(${CHUNKS * CHUNK_ROWS}) as users(i)`,
    ...options,
    edit: (job) =>
      edit(job.replace('chunk_rows: 10', `chunk_rows: ${CHUNK_ROWS}`).replace('source:\n', 'source:\n  freeze: always\n')),
  });
}

/** The same project as it is now, in a folder of its own that goes when the test ends. */
export async function copyProject(folder: string): Promise<string> {
  const copy = await temporaryFolder();
  await cp(folder, copy, { recursive: true });
  return copy;
}

/** Paths of everything in a folder of the project, relative to the project and with a slash before them. */
export async function filesIn(folder: string, name: string): Promise<string[]> {
  // A folder may go while it is read.
  const found = await readdir(path.join(folder, name), { recursive: true }).catch(() => []);
  return found.map((file) => `/${path.join(name, file)}`);
}

/**
 * Waits until `count` files match, in scratch or among the reports, or the process has ended.
 *
 * @returns the files that were there
 */
export async function untilFiles({ process }: Running, folder: string, pattern: RegExp, count = 1): Promise<string[]> {
  for (;;) {
    const found = [...(await filesIn(folder, SCRATCH)), ...(await filesIn(folder, 'reports'))].filter((file) =>
      pattern.test(file),
    );
    if (found.length >= count || ended(process)) return found;
    await sleep(1);
  }
}

/**
 * Waits until so many bytes of outcomes and a whole Parquet file of the rows they belong to are there, or the process has ended. A
 * file is whole with its footer, which DuckDB writes while it fills the next one already.
 */
export async function untilOutcomes({ process }: Running, folder: string, bytes: number): Promise<void> {
  const found = async (pattern: RegExp) => {
    const files = (await filesIn(folder, SCRATCH)).filter((file) => pattern.test(file));
    return Promise.all(files.map((file) => readFile(path.join(folder, file)).catch(() => Buffer.alloc(0))));
  };
  while (!ended(process)) {
    const outcomes = await found(/\/outcomes$/);
    const rows = await found(/\/rows\/data_\d+\.parquet$/);
    if (outcomes.some(({ length }) => length >= bytes) && rows.some((file) => file.subarray(-4).toString('latin1') === 'PAR1'))
      return;
    await sleep(20);
  }
}

/** Waits until the process has stopped, by a SIGSTOP of a test or of its own. @throws Error where it ends instead */
export async function untilStopped({ process, ended: outcome }: Running): Promise<void> {
  for (;;) {
    if (ended(process)) throw new Error(`it was never stopped: ${(await outcome).stderr}`);
    // The state stands behind the name of the command, which is in brackets.
    const stat = await readFile(`/proc/${process.pid}/stat`, 'utf8').catch(() => '');
    if (/\) T /.test(stat)) return;
    await sleep(5);
  }
}

/** Waits until the file has a text, or the process has ended. */
export async function untilText({ process }: Running, file: string, text: string): Promise<void> {
  while (!ended(process) && !(await readFile(file, 'utf8').catch(() => '')).includes(text)) await sleep(5);
}

function ended({ exitCode, signalCode }: Running['process']): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Run folders that are left in scratch. */
export async function runFolders(folder: string): Promise<string[]> {
  const names = await readdir(path.join(folder, SCRATCH)).catch(() => []);
  return names.filter((name) => name !== 'tmp');
}

/** Keeps others from writing the warehouse, as an analyst's open shell does, until it is called. */
export async function holdOpen(folder: string): Promise<() => void> {
  const instance = await DuckDBInstance.create(path.join(folder, WAREHOUSE), { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  return () => {
    connection.closeSync();
    instance.closeSync();
  };
}
