import { randomBytes } from 'node:crypto';
import { currentPublication, type LedgerEntry, type Run, runsOf, unfinishedRun } from '../domain/ledger.ts';
import { showQuery } from '../domain/query.ts';
import { StageClock } from '../domain/stages.ts';
import { showTableName } from '../domain/table-name.ts';
import type { Plan } from '../plan/plan.ts';
import { VERSIONS } from '../versions.ts';
import { entryOf, type Progress, windowFilter } from './progress.ts';

/**
 * A new run, or an unfinished one to go on with. The ledger knows of it before anything else is durable, and what is gone on
 * with is decided with the ledger in hand: another process may have finished the run since the plan was made.
 */
export function begin(plan: Plan, fresh: boolean): Promise<Progress> {
  return plan.ledger.decide(windowFilter(plan), async (entries) => {
    const unfinished = fresh ? undefined : await resumable(plan, entries);
    const progress = progressOf(plan, entries, unfinished);
    if (progress.state === 'published') return { result: progress };
    progress.state = 'started';
    const append = entryOf(plan, progress, 'started', {
      supersedes: progress.replaces?.runId ?? null,
      sql: showQuery(plan.query),
      parameters: Object.fromEntries(plan.query.parameters.map(({ name, value }) => [name, value])),
      versions: VERSIONS,
    });
    return { append, result: progress };
  });
}

/** The window's published run where it is in the job's own table; undefined where there is none. */
export async function published(plan: Plan): Promise<Progress | undefined> {
  const entries = await plan.ledger.entries(windowFilter(plan));
  const current = currentPublication(entries);
  const run = runsOf(entries).find(({ runId }) => runId === current?.runId);
  const table = showTableName(plan.tables.scores.name);
  return run && showTableName(run.details.table ?? []) === table ? progressOf(plan, entries, run) : undefined;
}

/** Takes over what another process of this very run has published. @returns whether there was such a thing */
export async function adopt(plan: Plan, progress: Progress): Promise<boolean> {
  const run = runsOf(await plan.ledger.entries(windowFilter(plan))).find(({ runId }) => runId === progress.runId);
  if (run?.state !== 'published' && run?.state !== 'completed') return false;
  progress.state = run.state;
  progress.rows = run.rows;
  progress.details = run.details;
  return true;
}

function progressOf(plan: Plan, entries: readonly LedgerEntry[], run: Run | undefined): Progress {
  // What ended the run before is told by the entry of then.
  const { error: _, ...details } = run?.details ?? {};
  return {
    runId: run?.runId ?? `${plan.window.label}-${randomBytes(6).toString('hex')}`,
    clock: new StageClock(run?.details.seconds),
    replaces: currentPublication(entries),
    state: run?.state ?? 'started',
    rows: run?.rows,
    details,
  };
}

/** Only where its frozen rows are still there, or nothing was scored yet, so that freezing again cannot mix two pictures. */
async function resumable(plan: Plan, entries: readonly LedgerEntry[]): Promise<Run | undefined> {
  const unfinished = unfinishedRun(entries, plan.fingerprint);
  if (unfinished === undefined || unfinished.state === 'published') return unfinished;
  const frozen = await plan.source.source.frozen(unfinished.runId);
  return frozen || (await plan.sink.sink.staged(unfinished.runId)).length === 0 ? unfinished : undefined;
}
