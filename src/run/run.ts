import type { Context } from '../context.ts';
import { ALONE } from '../domain/sharing.ts';
import type { Plan } from '../plan/plan.ts';
import { type BeginOptions, begin } from './begin.ts';
import { finish, publishOnce } from './finish.ts';
import { freezeWindow } from './freeze.ts';
import { type PublishOptions, publishFrozen } from './publish.ts';
import { scoreFrozen } from './score.ts';
import type { RunSummary } from './summary.ts';

export interface RunOptions extends PublishOptions, BeginOptions {
  readonly skipEmpty: boolean;
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
    const frozen = await freezeWindow(plan, options.skipEmpty, progress, context);
    await scoreFrozen(plan, frozen, ALONE, progress, context);
    return await publishFrozen(plan, frozen, options, progress, context);
  });
}
