import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from '../support/project.ts';
import { type Outcome, type Running, startScoreBatch } from '../support/score-batch.ts';
import type { Phase } from './effects.ts';
import type { CrashProject } from './project.ts';

const PRELOAD = pathToFileURL(repository('test', 'crash', 'preload.mjs')).href;
const COMMAND = ['--week', '--json', '--workers', '1'];

/** Where a process kills itself: in the n-th effect that matches. */
export interface CrashPoint {
  readonly pattern: RegExp;
  readonly occurrence: number;
  readonly phase: Phase;
}

/** Starts the cron line; the process kills itself at the point, if there is one and it comes there. */
export function start({ folder, environment }: CrashProject, point?: CrashPoint): Running {
  const at = point && JSON.stringify({ ...point, pattern: point.pattern.source });
  return startScoreBatch(folder, COMMAND, {
    ...environment,
    NODE_OPTIONS: `--import ${PRELOAD}`,
    CRASH_LOG: logOf(folder),
    ...(at && { CRASH_AT: at }),
  });
}

/** Runs the cron line to its end, or until it kills itself. @returns its effects, too, in order */
export async function run(project: CrashProject, point?: CrashPoint): Promise<Outcome & { effects: string[] }> {
  const before = (await effectsOf(project.folder)).length;
  const outcome = await start(project, point).ended;
  return { ...outcome, effects: (await effectsOf(project.folder)).slice(before) };
}

function logOf(folder: string): string {
  return path.join(folder, 'effects.log');
}

async function effectsOf(folder: string): Promise<string[]> {
  const text = await readFile(logOf(folder), 'utf8').catch(() => '');
  return text.split('\n').slice(0, -1);
}

export interface Published {
  readonly csv: string;
  /** Rows of every published table but the ledger, by table; what tells one run from another is left out. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
}

/** Columns that say which run wrote a row. */
const OF_THE_RUN = new Set(['run_id', 'recorded_at']);

/** What is published. */
export async function publishedIn(project: CrashProject): Promise<Published> {
  const tables: Record<string, string[]> = {};
  for (const table of await project.tables()) {
    if (table === 'score_batch_ledger' || table === GATE) continue;
    const rows = await project.rows(`select * from marketing.${table}`);
    tables[table] = rows.map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !OF_THE_RUN.has(column)))).sort();
  }
  return { csv: await readFile(path.join(project.folder, 'reports', CSV), 'utf8'), tables };
}

const CSV = 'linear-1997-W11.csv';
const GATE = 'score_batch_gate_linear';

/** What should not be there: in scratch, in work folders, beside the report, in the gate. */
export async function leftIn(project: CrashProject): Promise<string[]> {
  const gate = (await project.tables()).includes(GATE) ? await project.rows(`select * from marketing.${GATE}`) : [];
  const reports = await readdir(path.join(project.folder, 'reports'));
  return [
    ...(await project.scratch()),
    ...(await readdir(path.join(project.folder, 'tmp'))),
    ...reports.filter((file) => file !== CSV),
    ...gate.slice(1).map((row) => `gate: ${JSON.stringify(row)}`),
  ];
}

/** Runs of the ledger in the order of their publications, and which of them wrote the scores that are there. */
export async function ledgerIn(project: CrashProject): Promise<{ published: string[]; runs: string[]; scores: string[] }> {
  const entries = await project.rows('select run_id, publication from marketing.score_batch_ledger order by entry_number');
  const publications = entries.filter(({ publication }) => publication !== null);
  return {
    published: publications.map(({ run_id, publication }) => `${publication} ${run_id}`),
    runs: [...new Set(entries.map(({ run_id }) => String(run_id)))],
    scores: (await project.rows('select distinct run_id from marketing.scores')).map(({ run_id }) => String(run_id)),
  };
}
