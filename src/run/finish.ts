import type { Context } from '../context.ts';
import { Interrupted } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { adopt, publishedMeanwhile, takeOver } from './begin.ts';
import { cleanUp } from './clean-up.ts';
import { recordFailure } from './failure.ts';
import { reasonOf } from './lost.ts';
import type { Progress } from './progress.ts';
import { finishReport } from './report.ts';
import { type RunSummary, summarize } from './summary.ts';
import { explainMemory } from './too-wide.ts';

/**
 * Does what is left to do until the run is published, and what comes after it; nothing where all of it is done.
 *
 * @param work publishes the run; returns false where another process of the same run had done it
 */
export async function publishOnce(
  plan: Plan,
  progress: Progress,
  context: Context,
  work: () => Promise<boolean>,
): Promise<RunSummary> {
  if (progress.state === 'completed') return await finish(plan, progress, 'already published', context);
  const mine = progress.state === 'published' || (await unlessPublished(plan, progress, context, work));
  if (mine) return await finish(plan, progress, 'published', context);
  await adopt(plan, progress);
  return await finish(plan, progress, 'already published', context);
}

/**
 * Works on a run that other processes may be at too. Where they published it and cleaned up meanwhile, what fails here for
 * that reason is a success; any other failure is told to the ledger.
 *
 * @returns what `work` returned; false where it failed because the run is published
 */
export async function unlessPublished<T>(
  plan: Plan,
  progress: Progress,
  context: Context,
  work: () => Promise<T>,
): Promise<T | false> {
  try {
    return await work();
  } catch (error) {
    if (progress.state === 'published') throw error;
    const reason = await reasonOf(await explainMemory(error, plan, progress.runId), plan, progress);
    const published =
      error instanceof Interrupted ? undefined : await publishedMeanwhile(plan, progress).catch(() => undefined);
    if (published) {
      // It has not failed, whoever published it.
      takeOver(published, progress);
      return false;
    }
    await recordFailure(plan, progress, reason, context);
    throw reason;
  }
}

export async function finish(
  plan: Plan,
  progress: Progress,
  state: RunSummary['state'],
  context: Context,
): Promise<RunSummary> {
  await finishReport(plan, progress, context);
  progress.clock.enter('clean_up');
  await cleanUp(plan, progress.runId, context);
  return summarize(plan, progress.runId, state, progress.rows, { ...progress.details, seconds: progress.clock.seconds });
}
