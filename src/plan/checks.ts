import type { Context } from '../context.ts';
import { showBytes } from '../domain/cost.ts';
import type { Query } from '../domain/query.ts';
import type { Tables } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { bindWindow } from '../job/parameters.ts';
import type { Bundle } from '../model/bundle.ts';
import { canEstimate } from '../warehouse/source-capabilities.ts';
import type { Source } from '../warehouse/warehouse.ts';
import { refuseOtherJobs } from './publications.ts';
import type { Warehouses } from './warehouses.ts';

/** The phases of a run, which may be different processes. */
const PHASES = ['freeze', 'score', 'publish'] as const;
/** `aside` scores rows that are not published. */
export type Phase = (typeof PHASES)[number] | 'aside';

/** What is known when source and tables are checked. */
export interface Draft extends Pick<Warehouses, 'source' | 'sink' | 'kinds'> {
  readonly job: Job;
  readonly window: Window;
  readonly tables: Tables;
  /** Bytes that the query will read; undefined if the source cannot estimate them. */
  readonly estimatedBytes: number | undefined;
  readonly console: Context['console'];
}

/** A reason to refuse a run before any row moves. */
interface Check {
  /** Phases that need it; a process that does none of them skips it. */
  readonly phases: readonly Phase[];
  /** @throws ScoreBatchError if the run must not start */
  readonly refuse: (draft: Draft) => void | Promise<void>;
}

const CHECKS: readonly Check[] = [
  { phases: ['freeze', 'aside'], refuse: refuseCost },
  { phases: ['freeze', 'publish'], refuse: refuseDifferentTables },
  { phases: ['freeze', 'publish'], refuse: ({ sink, job, tables }) => refuseOtherJobs(sink, job.definition, tables) },
  { phases: ['freeze', 'aside'], refuse: refuseUnready },
];

/** @returns the phases of this process */
export function phasesOf(phase: 'all' | Phase): ReadonlySet<Phase> {
  return new Set<Phase>(phase === 'all' ? PHASES : phase === 'aside' ? ['score', 'aside'] : [phase]);
}

/** For a run that does not read the source. */
export function withoutFreeze(phases: ReadonlySet<Phase>): ReadonlySet<Phase> {
  return new Set([...phases].filter((phase) => phase !== 'freeze'));
}

/** Runs the checks of source and tables that these phases need, in order. @throws ScoreBatchError from the first that fails */
export async function checkDraft(draft: Draft, phases: ReadonlySet<Phase>): Promise<void> {
  for (const check of CHECKS) if (check.phases.some((phase) => phases.has(phase))) await check.refuse(draft);
}

/** @throws ScoreBatchError `configuration` if the query does not depend on the window */
export function refuseNoParameter({ parameters }: Query, queryName: string): void {
  if (parameters.length > 0) return;
  throw new ScoreBatchError(
    'configuration',
    `${queryName} uses no window parameter, so every window would have the same rows`,
    {
      hint: 'filter by :window_start_date and :window_end_date, or by :window_start and :window_end',
    },
  );
}

/** @throws ScoreBatchError `configuration` if a gate on drift has no reference in the bundle */
export function refuseMissingReference({ definition }: Job, bundle: Bundle): void {
  if (definition.gates.max_score_psi === undefined || bundle.definition.reference?.score !== undefined) return;
  const key = definition.score.class === undefined ? 'score' : `classes.${definition.score.class}`;
  throw new ScoreBatchError(
    'configuration',
    `gates.max_score_psi is set, but the bundle ${bundle.folder} has no reference to compare with`,
    {
      hint: `add reference.${key} to model.yaml (the scores of the training or validation rows), or remove the gate`,
    },
  );
}

/** @returns bytes that the query will read; undefined if the source cannot estimate them */
export async function estimateBytes(source: Source, query: Query): Promise<number | undefined> {
  return canEstimate(source) ? await source.estimate(query) : undefined;
}

function refuseCost({ job, source, kinds, estimatedBytes: bytes, console }: Draft): void {
  const { max_bytes: limit } = job.definition.source;
  if (limit === undefined) return;
  if (!canEstimate(source)) {
    console.warn(`source.max_bytes has no effect: ${kinds.source} cannot tell how much a query will read`);
  } else if (bytes !== undefined && bytes > limit) {
    throw new ScoreBatchError(
      'refused',
      `the query would read ${showBytes(bytes)}, but source.max_bytes is ${showBytes(limit)}`,
      {
        hint: 'filter by the column that partitions the table, select fewer columns, or raise the limit',
      },
    );
  }
}

/** @throws ScoreBatchError `configuration` if existing tables differ from their layouts */
export async function refuseDifferentTables({ sink, tables }: Pick<Draft, 'sink' | 'tables'>): Promise<void> {
  const details = await sink.differences(tables);
  if (details.length === 0) return;
  throw new ScoreBatchError('configuration', 'an existing table does not have the columns that this job publishes', {
    details,
    hint: 'name another table in the job file, rename the existing one, or alter it yourself; score-batch never alters tables',
  });
}

async function refuseUnready({ job, window, source }: Draft): Promise<void> {
  const { ready } = job.definition.source;
  if (ready === undefined || (await source.ready(bindWindow(ready, window, 'source.ready', job.kind)))) return;
  throw new ScoreBatchError('unavailable', `the source is not ready for ${window.label}: source.ready is not true yet`, {
    details: [ready.trim()],
    hint: 'run the same command again when the load into the source has finished; a scheduler should retry',
  });
}
