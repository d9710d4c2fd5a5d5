import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { leftIn, type Published, publishedIn } from './aftermath.ts';
import type { CrashProject } from './project.ts';

const RUN_ID = /1997-W11-[0-9a-f]{12}/g;
/** States of the ledger that a command records once for all, beside publications. */
const ONCE = ['erased', 'promoting', 'promoted', 'superseded'];

/** What a command leaves, without what tells one run from another: two commands that did the same leave the same. */
export interface DeskState {
  readonly published: Published;
  /** What else is there: rows that are kept are named by their run. */
  readonly left: readonly string[];
  /** Rows that are kept for another model. */
  readonly kept: readonly string[];
  /** Publications, erasures and promotions in order, each with the place of its run among all runs. */
  readonly ledger: readonly string[];
  /** Places of the runs that the published scores are of: the current publication. */
  readonly current: readonly number[];
  readonly job: string;
  /** What `models/current` leads to, if it is a link. */
  readonly link: string | undefined;
}

export async function stateOf(project: CrashProject): Promise<DeskState> {
  const { folder, rows } = project;
  const entries = await rows('select run_id, state, publication from marketing.score_batch_ledger order by entry_number');
  const runs = [...new Set(entries.map(({ run_id }) => String(run_id)))];
  const place = (run: unknown) => runs.indexOf(String(run));
  const scores = await rows('select distinct run_id from marketing.scores');
  const published = await publishedIn(project);
  return {
    published: { ...published, pages: published.pages.map((page) => page.replaceAll(RUN_ID, 'RUN')) },
    left: (await leftIn(project)).map(withoutNames).sort(),
    kept: await keptIn(project),
    ledger: entries
      .filter(({ state, publication }) => publication !== null || ONCE.includes(String(state)))
      .map(({ run_id, state, publication }) => `${publication ?? ''} ${state} ${place(run_id)}`),
    current: scores.map(({ run_id }) => place(run_id)).sort(),
    job: await readFile(path.join(folder, 'jobs', 'job.yaml'), 'utf8'),
    link: await readlink(path.join(folder, 'models', 'current')).catch(() => undefined),
  };
}

async function keptIn({ kept, rows, scratch }: CrashProject): Promise<string[]> {
  if ((await scratch()).length === 0) return [];
  const found: string[] = [];
  for (const from of await kept())
    found.push(...(await rows(`select * from ${from}`)).map((row) => JSON.stringify(Object.values(row))));
  return found.sort();
}

/** Without the ids of runs and of attempts, as they are in names of files and of tables. */
function withoutNames(name: string): string {
  return name.toLowerCase().replaceAll(/1997.w11.[0-9a-f]{12}|[0-9a-f]{8,}/g, '*');
}
