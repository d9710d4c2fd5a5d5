import { ledgerWindow } from '../domain/ledger.ts';
import { Interrupted } from '../errors.ts';
import { adopt, publishedMeanwhile, takeOver } from './adopt.ts';
import type { ChallengerSummary } from './challenge.ts';
import { cleanUp } from './clean-up.ts';
import { recordFailure } from './failure.ts';
import type { ActiveRun } from './progress.ts';
import { finishReport } from './report.ts';
import { rootCause } from './root-cause.ts';
import { type RunSummary, summarize } from './summary.ts';
import { explainMemory } from './too-wide.ts';

/**
 * Publishes the run unless that is done, then writes its report and cleans up.
 *
 * @param work publishes the run; returns false if another process has published it
 */
export async function publishOnce(active: ActiveRun, work: () => Promise<boolean>): Promise<RunSummary> {
  const { progress } = active;
  if (progress.state === 'completed') return await finish(active, 'already published');
  const mine = progress.state === 'published' || (await unlessPublished(active, work));
  if (mine) return await finish(active, 'published');
  await adopt(active);
  return await finish(active, 'already published');
}

/**
 * Does work on a run that other processes may also work on. A failure because another process has published the run and cleaned
 * up counts as success. Any other failure is recorded in the ledger and thrown.
 *
 * @returns the result of `work`; false if it failed because the run is published
 */
export async function unlessPublished<T>(active: ActiveRun, work: () => Promise<T>): Promise<T | false> {
  const { plan, progress } = active;
  try {
    return await work();
  } catch (error) {
    if (progress.state === 'published') throw error;
    const reason = await rootCause(await explainMemory(error, plan, progress.runId), active);
    const published = error instanceof Interrupted ? undefined : await publishedMeanwhile(active).catch(() => undefined);
    if (published) {
      takeOver(published, progress);
      return false;
    }
    // A refused run that cannot be accepted stays refused, for the reasons in its entry.
    if (progress.state !== 'refused') await recordFailure(active, reason);
    throw reason;
  }
}

/** Writes the report of a published run, lets its challenger score the same rows, notifies the targets, and cleans up. */
export async function finish(active: ActiveRun, state: RunSummary['state']): Promise<RunSummary> {
  let challenged: ChallengerSummary | undefined;
  const letChallengerScore = async (): Promise<void> => {
    const { challenge } = await import('./challenge.ts');
    challenged = await challenge(active);
  };
  await finishReport(active, active.plan.challenger && letChallengerScore);
  await tellTargets(active);
  active.progress.clock.enter('clean_up');
  await cleanUp(active, challenged?.run_id ?? undefined);
  return summarize(active, state, challenged);
}

/** Loads no code for a job without targets. Nobody waits for a slice. */
async function tellTargets({ plan, context }: ActiveRun): Promise<void> {
  const { job, sink, ledger, stores } = plan;
  if (job.definition.delivery === undefined || plan.slice !== undefined) return;
  const { deliver } = await import('../delivery/deliver.ts');
  await deliver({ job, window: ledgerWindow(plan.window), sink, ledger, stores }, context);
}
