import type { Plan } from './plan.ts';
import { publishedBefore } from './publications.ts';

/**
 * The plan with the present publications, for a run that has waited for runs of other windows.
 *
 * @throws ScoreBatchError as `publishedBefore`
 */
export async function readHistoryAgain(plan: Plan, replaceOverlapping: boolean): Promise<Plan> {
  const { name, version } = plan.bundle.definition;
  const before = await publishedBefore(plan.ledger, {
    definition: plan.job.definition,
    window: plan.window,
    model: { name, version, digest: plan.bundle.digest },
    replaceOverlapping,
    checkGates: true,
  });
  return { ...plan, ...before };
}
