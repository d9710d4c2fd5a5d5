import { randomBytes } from 'node:crypto';
import { currentPublication, type Run, unfinishedRun } from '../domain/ledger.ts';
import { showQuery } from '../domain/query.ts';
import { StageClock } from '../domain/stages.ts';
import type { Plan } from '../plan/plan.ts';
import { VERSIONS } from '../versions.ts';
import { entryOf, type Progress } from './progress.ts';

/** A new run, or an unfinished one to go on with; the ledger knows of it before anything else is durable. */
export async function begin(plan: Plan, fresh: boolean): Promise<Progress> {
  const unfinished = fresh ? undefined : await resumable(plan);
  // What ended the run before is told by the entry of then.
  const { error: _, ...details } = unfinished?.details ?? {};
  const progress: Progress = {
    runId: unfinished?.runId ?? `${plan.window.label}-${randomBytes(6).toString('hex')}`,
    clock: new StageClock(unfinished?.details.seconds),
    state: unfinished?.state ?? 'started',
    rows: unfinished?.rows,
    details,
  };
  if (progress.state === 'published') return progress;
  progress.state = 'started';
  await plan.ledger.append(
    entryOf(plan, progress, 'started', {
      supersedes: currentPublication(plan.entries)?.runId ?? null,
      sql: showQuery(plan.query),
      parameters: Object.fromEntries(plan.query.parameters.map(({ name, value }) => [name, value])),
      versions: VERSIONS,
    }),
  );
  return progress;
}

/** Only where its frozen rows are still there, or nothing was scored yet, so that freezing again cannot mix two pictures. */
async function resumable(plan: Plan): Promise<Run | undefined> {
  const unfinished = unfinishedRun(plan.entries, plan.fingerprint);
  if (unfinished === undefined || unfinished.state === 'published') return unfinished;
  const frozen = await plan.source.source.frozen(unfinished.runId);
  return frozen || (await plan.sink.sink.staged(unfinished.runId)).length === 0 ? unfinished : undefined;
}
