import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { Route } from './effects.ts';
import { run } from './kill.ts';
import { type CrashProject, crashProject } from './project.ts';

const CSV = 'linear-1997-W11.csv';
/** Files whose bytes are compared by their digest. */
const OTHER_FILES = ['linear-1997-W11.parquet', 'linear-1997-W11.xlsx'];
/** The page and the list of all pages. */
const PAGES = ['linear-1997-W11.html', 'index.html'];
const LEDGER = 'score_batch_ledger';
const LOCK_TABLE = 'score_batch_lock_linear';
/** Columns that say which run wrote a row. */
const OF_THE_RUN = new Set(['run_id', 'recorded_at', 'replaced_run_id', 'replaced_at']);

/**
 * Where Snowflake's driver puts the encrypted copy of a file that it uploads: wherever the system's temporary files are, under a
 * name that says nothing of whose it is. Nobody but the system can clean up after a kill there.
 */
const OF_THE_DRIVER = /^tmp\w{6}$/;

/** What is published, without what tells one run from another. */
export interface Published {
  readonly csv: string;
  /** SHA-256 of the other report files. */
  readonly digests: readonly string[];
  /** Page and index without what they say of the run. */
  readonly pages: readonly string[];
  /** Rows of every published table but the ledger, by table. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
}

/** What a run that nothing disturbs does and leaves. */
export interface Uninterrupted {
  readonly effects: readonly string[];
  readonly published: Published;
  readonly seconds: number;
}

export async function runUninterrupted(route: Route): Promise<Uninterrupted> {
  const project = await crashProject(route);
  const start = performance.now();
  const { code, stderr, effects } = await run(project);
  const seconds = (performance.now() - start) / 1000;
  expect(code, stderr).toBe(0);
  expect(await leftIn(project)).toEqual([]);
  const published = await publishedIn(project);
  expect(published.csv.split('\n')).toHaveLength(1 + 59 + 1);
  expect(Object.keys(published.tables)).toEqual(['report', 'scores', 'scores_quarantine', 'summary']);
  return { effects, published, seconds };
}

/**
 * Expects that after kills and a run that went to its end there is what an uninterrupted run leaves, and nothing else. Where a
 * process was killed after it had completed its run, the next one has published the same rows again: the tables that keep replaced
 * rows are there then, and empty.
 *
 * @returns ids of the runs that there were
 */
export async function expectAftermath(project: CrashProject, { published }: Uninterrupted, how: string): Promise<string[]> {
  const runs = await expectOncePublished(project, how);
  const kept = runs.length === 1 ? [] : Object.keys(published.tables).map((table) => [`${table}_replaced`, []]);
  expect(await publishedIn(project), how).toEqual({
    ...published,
    tables: { ...published.tables, ...Object.fromEntries(kept) },
  });
  expect(await leftIn(project), how).toEqual([]);
  return runs;
}

/** Expects that each run of the ledger went to its end and published once: none was given up for another. @returns their ids */
export async function expectOncePublished(project: CrashProject, how: string): Promise<string[]> {
  const entries = await project.rows(`select run_id, publication from marketing.${LEDGER} order by entry_number`);
  const runs = [...new Set(entries.map(({ run_id }) => String(run_id)))];
  const publications = entries.filter(({ publication }) => publication !== null);
  expect(
    publications.map(({ run_id, publication }) => `${publication} ${run_id}`),
    how,
  ).toEqual(runs.map((id, i) => `${i + 1} ${id}`));
  const scores = await project.rows('select distinct run_id from marketing.scores');
  expect(
    scores.map(({ run_id }) => run_id),
    how,
  ).toEqual(runs.slice(-1));
  return runs;
}

export async function publishedIn(project: CrashProject): Promise<Published> {
  const tables: Record<string, string[]> = {};
  for (const table of await project.tables()) {
    if (table === LEDGER || table.startsWith(LOCK_TABLE)) continue;
    const rows = await project.rows(`select * from marketing.${table}`);
    tables[table] = rows.map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !OF_THE_RUN.has(column)))).sort();
  }
  const report = (file: string) => readFile(path.join(project.folder, 'reports', file));
  const others = await Promise.all(OTHER_FILES.map(report));
  const digests = others.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
  const pages = await Promise.all(PAGES.map(async (file) => withoutRun((await report(file)).toString('utf8'))));
  return { csv: (await report(CSV)).toString('utf8'), digests, pages, tables };
}

/** What two runs on the same rows say alike: neither the section of the run nor the time and the entry of the publication. */
function withoutRun(page: string): string {
  return page
    .replace(/<section id="run"[\s\S]*?<\/section>/, '')
    .replace(/(name="score-batch-entry" content=")\d+/, '$1')
    .replace(/As of entry [\d,]+/, '')
    .replaceAll(/\d+ \w+ \d{4}, \d\d:\d\d/g, '');
}

/** What should not be there: in scratch, in work folders, beside the report, in the lock. */
export async function leftIn(project: CrashProject): Promise<string[]> {
  const lock = (await project.tables()).includes(LOCK_TABLE) ? await project.rows(`select * from marketing.${LOCK_TABLE}`) : [];
  const reports = await readdir(path.join(project.folder, 'reports'));
  const temporary = await readdir(path.join(project.folder, 'tmp'));
  return [
    ...(await project.scratch()),
    ...temporary.filter((name) => !OF_THE_DRIVER.test(name)),
    ...reports.filter((file) => ![CSV, ...OTHER_FILES, ...PAGES].includes(file)),
    ...lock.slice(1).map((row) => `lock: ${JSON.stringify(row)}`),
  ];
}
