import { rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { LIMITS, writeBundle } from '../support/challenger-project.ts';
import { once } from '../support/kept.ts';
import { keptCopy, projectCopy } from './copied.ts';
import type { DeskState } from './desk-state.ts';
import type { Route } from './effects.ts';
import { run } from './kill.ts';
import { type CrashProject, crashProject } from './project.ts';

// The commands after a first run that publish, or change what is published, each on a project in which there is something to
// do.

/** Scored, among the first of the ranks, and in no other way special. */
const PERSON = 19;
/** A row of a table, or one that is kept, whose key comes first. */
const IS_PERSON = new RegExp(`^\\["?${PERSON}"?,|\\["user_id","?${PERSON}"?\\]`);

/** A command, and the projects on which it is killed. */
interface Scenario {
  /** Returns what makes a project of its own each time. */
  readonly prepare: (route: Route) => () => Promise<CrashProject>;
  readonly command: readonly string[];
  /** Exit code of the command where all was done before. */
  readonly over: number;
  /** Whether an uninterrupted command did what it is for. */
  readonly isDone: (state: DeskState) => boolean;
}

export const SCENARIOS = {
  // The third publication of a file: what it replaces is kept, and what the second replaced goes. Elsewhere the second, which
  // creates the tables for it.
  history: {
    prepare: (route) => copies(route, () => published(route, { times: route === 'duckdb' ? 2 : 1 })),
    command: ['run', '--week', '--json', '--workers', '1'],
    over: 0,
    isDone: ({ published: { tables }, current, ledger }) =>
      tables.scores_replaced?.length === 59 && current[0] === ledger.length - 1,
  },
  rollback: {
    prepare: (route) => copies(route, () => published(route)),
    command: ['rollback', '--week', '--reason', 'a was halved', '--json'],
    over: 65,
    isDone: ({ ledger, current }) => ledger.length === 3 && current[0] === 0,
  },
  erase: {
    prepare: (route) =>
      copies(route, () => published(route, { edit: (job) => job.replace('source:\n', 'source:\n  keep_rows: 35 days\n') })),
    command: ['erase', '--key', String(PERSON), '--reason', 'request 4711', '--json'],
    over: 0,
    isDone: ({ published: { csv, tables }, kept }) =>
      kept.length > 0 &&
      !csv.includes(`\n1997-W11,${PERSON},`) &&
      ![...kept, ...Object.values(tables).flat()].some((row) => IS_PERSON.test(row)),
  },
  promote: {
    prepare: (route) => copies(route, () => challenged(route)),
    command: ['promote', '--json'],
    over: 78,
    isDone: isPromoted,
  },
  'promote by link': {
    prepare: (route) => copies(route, () => challenged(route, 'link')),
    command: ['promote', '--json'],
    over: 78,
    isDone: isPromoted,
  },
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** A warehouse in a file is copied with its folder; elsewhere each project is made anew. */
function copies(route: Route, make: () => Promise<CrashProject>): () => Promise<CrashProject> {
  if (route === 'bigquery' || route === 'snowflake') return make;
  const kept = once(async () => keptCopy(await make()));
  return async () => projectCopy(await kept());
}

function isPromoted({ job, ledger }: DeskState): boolean {
  return !job.includes('challenger:') && ledger.at(-1)?.includes('promoted') === true;
}

interface PublishedOptions {
  readonly times?: number;
  readonly edit?: (job: string) => string;
}

/** A project after publications of its window, each of other values of `a`; the source has changed again since. */
async function published(route: Route, { times = 2, edit = (job) => job }: PublishedOptions = {}): Promise<CrashProject> {
  const project = await crashProject(route, { edit });
  for (let n = 0; n < times; n += 1) {
    await publish(project);
    await project.rows(`update ${project.users} set a = a / 2 where user_id < 20 and a < 100`);
  }
  return project;
}

/** A project whose challenger may be promoted. @param by what names the model of the job */
async function challenged(route: Route, by: 'job file' | 'link' = 'job file'): Promise<CrashProject> {
  const model = by === 'link' ? 'models/current' : 'model';
  const project = await crashProject(route, {
    // Its bundle has no baseline rows.
    edit: (job) =>
      `${job.replace(/ {2}reasons: .*\n/, '').replace('model: model', `model: ${model}`)}${LIMITS}challenger:\n  model: models/linear-2\n  promote_after: 1\n`,
  });
  const models = path.join(project.folder, 'models');
  await writeBundle(path.join(models, 'linear-2'));
  if (by === 'link') {
    await rename(path.join(project.folder, 'model'), path.join(models, 'linear-1'));
    await symlink('linear-1', path.join(models, 'current'));
  }
  await publish(project);
  return project;
}

async function publish(project: CrashProject): Promise<void> {
  const { code, stderr } = await run(project);
  expect(code, stderr).toBe(0);
}
