import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { ALONE } from '../domain/sharing.ts';
import type { Plan } from '../plan/plan.ts';
import { startThreads, type TapThreads } from '../tap/threads.ts';
import { type BeginOptions, begin } from './begin.ts';
import { finish, publishOnce } from './finish.ts';
import { freezeWindow } from './freeze.ts';
import type { Progress } from './progress.ts';
import { type PublishOptions, publishFrozen } from './publish.ts';
import { scoreFrozen } from './score.ts';
import type { RunSummary } from './summary.ts';
import { scoreTapped } from './tap.ts';

export interface RunOptions extends PublishOptions, BeginOptions {
  readonly skipEmpty: boolean;
  /** Threads that wait for rows to be scored on their way; by default they are started when they are needed. */
  readonly threads?: TapThreads;
}

/**
 * One window from the source to the report: freeze, score, reconcile, publish, report. Crash-only: killed anywhere, the same
 * call goes on from what is durable.
 *
 * @throws ScoreBatchError whose kind says what a scheduler should do; Interrupted where a signal ended it
 */
export async function run(plan: Plan, options: RunOptions, context: Context): Promise<RunSummary> {
  const progress = await begin(plan, options, context);
  if (options.skipPublished && progress.state !== 'started') return await finish(plan, progress, 'already published', context);
  return await publishOnce(plan, progress, context, async () => {
    const frozen = await scoreWindow(plan, options, progress, context);
    return await publishFrozen(plan, frozen, options, progress, context);
  });
}

/** A window that a phase has frozen, or an earlier start, is gone on with as it is. */
async function scoreWindow(
  plan: Plan,
  { skipEmpty, threads = startThreads(undefined) }: Pick<RunOptions, 'skipEmpty' | 'threads'>,
  progress: Progress,
  context: Context,
): Promise<FrozenTable> {
  if (plan.tap !== undefined && (await plan.source.source.frozen(progress.runId)) === undefined)
    return await scoreTapped(plan, { tap: plan.tap, threads, skipEmpty }, progress, context);
  await threads.close();
  const frozen = await freezeWindow(plan, skipEmpty, progress, context);
  await scoreFrozen(plan, frozen, ALONE, progress, context);
  return frozen;
}
