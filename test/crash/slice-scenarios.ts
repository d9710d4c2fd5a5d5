import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { once } from '../support/kept.ts';
import { keptCopy, projectCopy } from './copied.ts';
import type { DeskRoute } from './desk-effects.ts';
import { run } from './kill.ts';
import { type CrashProject, crashProject } from './project.ts';

// The kinds of slices, each on a project in which there is something of every kind to do. The users of the project are events
// here: the newest one of a user has the features, and a user whose newest one is of no country is none any more.

export const SLICE = ['--slice', '--json', '--workers', '1'];

const QUERY = (events: string) => `
  select user_id, a, b, country
  from ${events} newest
  where user_id in (:changed_keys) and loaded_at >= :window_start and loaded_at < :window_end and country <> 'none'
    and not exists (
      select 1 from ${events} later
      where later.user_id = newest.user_id and later.loaded_at > newest.loaded_at and later.loaded_at < :window_end)`;

const INCREMENTAL = (events: string) => `incremental:
  table: marketing.current
  since: 1997-03-10
  changes: [{ table: ${events}, watermark: loaded_at }]
  lookback: 10 minutes
  bands: { high: 0.6, medium: 0.5 }
`;

/** All users once a day, and compared with the batch: a slice ends at the midnight that ends its window. */
const DAILY = `  refresh: day
  shadow:
    view: marketing.shown
`;

/** Sunday afternoon, UTC: 59 users, and one whose row is rejected. */
const FIRST = "timestamp '1997-03-16 12:00:00'";

interface Scenario {
  /** Returns what makes a project of its own each time. */
  readonly prepare: (route: DeskRoute) => () => Promise<CrashProject>;
  /** Kinds of the slices that the command publishes in a project, one after the other. */
  readonly kinds: readonly string[];
  /** What happens after the command, or after it was killed. */
  readonly meanwhile: (project: CrashProject) => Promise<void>;
}

export const SLICE_SCENARIOS = {
  snapshot: {
    prepare: (route) => copies(route, () => sliceProject(route)),
    kinds: ['snapshot'],
    meanwhile: nothing,
  },
  changes: {
    prepare: (route) => copies(route, () => changed(route, { day: '1997-03-16 13' })),
    kinds: ['changes'],
    meanwhile: (project) => news(project, '1997-03-16 13:30:00'),
  },
  // The slice up to the midnight, and that of what follows it.
  'full pass at a boundary': {
    prepare: (route) => copies(route, () => changed(route, { day: '1997-03-17 06', more: DAILY })),
    kinds: ['full', 'changes'],
    meanwhile: (project) => news(project, '1997-03-17 06:30:00'),
  },
  // The same, with something to compare it with.
  'comparison with the batch': {
    prepare: (route) => copies(route, () => changed(route, { day: '1997-03-17 06', more: DAILY, batch: true })),
    kinds: ['full', 'changes'],
    meanwhile: nothing,
  },
} as const satisfies Readonly<Record<string, Scenario>>;

export type SliceScenario = keyof typeof SLICE_SCENARIOS;

/** A warehouse in a file is copied with its folder; elsewhere each project is made anew. */
function copies(route: DeskRoute, make: () => Promise<CrashProject>): () => Promise<CrashProject> {
  if (route !== 'duckdb') return make;
  const kept = once(async () => keptCopy(await make()));
  return async () => projectCopy(await kept());
}

/** @param more further lines of the section `incremental` */
async function sliceProject(route: DeskRoute, more = ''): Promise<CrashProject> {
  const events = eventsOf(route);
  const project = await crashProject(route, { edit: (job) => `${job}${INCREMENTAL(events)}${more}` });
  await writeFile(path.join(project.folder, 'jobs', 'query.sql'), QUERY(events));
  await project.rows(`create table ${events} as select user_id, a, b, country, ${FIRST} as loaded_at from ${project.users}`);
  return project;
}

async function nothing(): Promise<void> {}

/** Changes that no slice has read yet, within a file of DuckDB: of a user who changed before, and of another one. */
async function news({ rows }: CrashProject, at: string): Promise<void> {
  await rows(`insert into events values (1, 0.3, 0.5, 'FR', timestamp '${at}'), (400, 0.7, 0.5, 'DE', timestamp '${at}')`);
}

async function well(running: ReturnType<typeof run>): Promise<void> {
  const { code, stderr } = await running;
  expect(code, stderr).toBe(0);
}

function eventsOf(route: DeskRoute): string {
  return route === 'bigquery' ? 'shop.events' : 'events';
}

interface Changes {
  /** Start of the changes' instants, with the hour. */
  readonly day: string;
  readonly more?: string;
  /** Whether the batch has published its window, too. */
  readonly batch?: boolean;
}

/** A project after a snapshot, with users who changed since in every way. */
async function changed(route: DeskRoute, { day, more, batch = false }: Changes): Promise<CrashProject> {
  const project = await sliceProject(route, more);
  await well(run(project, undefined, SLICE));
  const at = (minute: number) => `timestamp '${day}:${String(minute).padStart(2, '0')}:00'`;
  const rows = [
    // Another score; the same score for another country; accepted; rejected; not there any more, nor has it ever been.
    `(1, 1.9, 0.5, 'US', ${at(0)})`,
    `(7, 0.5, 0.5, 'FR', ${at(2)})`,
    `(8, 1000.0, 0.5, 'FR', ${at(3)})`,
    `(5, 0.1, 0.1, 'none', ${at(4)})`,
    `(6, 0.1, 0.1, 'none', ${at(4)})`,
    `(300, 0.1, 0.1, 'none', ${at(5)})`,
    ...Array.from({ length: 5 }, (_, i) => `(${200 + i}, ${i / 10}, 0.5, 'DE', ${at(6)})`),
  ];
  const events = eventsOf(route);
  await project.rows(`insert into ${events} values ${rows.join(', ')}`);
  await project.rows(`insert into ${events} select user_id, a, b, 'NO', ${at(1)} from ${project.users} where user_id = 2`);
  if (batch) await well(run(project));
  return project;
}
