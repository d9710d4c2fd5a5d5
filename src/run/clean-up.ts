import type { Context } from '../context.ts';
import type { Plan } from '../plan/plan.ts';
import { judgeArtifacts } from './judged-artifacts.ts';

/**
 * Drops what the run left in scratch, and what earlier runs of the job left that are over or past their deadline. A good
 * run does not fail here: what stays is collected by the next one.
 */
export async function cleanUp(plan: Plan, runId: string, { console }: Context): Promise<void> {
  const [{ source }, { sink }] = [plan.source, plan.sink];
  try {
    await source.dropFrozen(runId);
    await sink.discard(runId);
    for (const left of await judgeArtifacts([source, sink], plan.ledger, plan.job.definition.name, Date.now())) {
      if (left.over) await left.drop();
    }
  } catch (error) {
    console.warn(`scratch could not be cleaned up: ${error instanceof Error ? error.message : String(error)}`);
  }
}
