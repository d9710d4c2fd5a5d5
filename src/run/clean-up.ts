import type { Context } from '../context.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * Drops what the run left in scratch, and what earlier runs of the job left that are over or past their deadline. A good
 * run does not fail here: what stays is collected by the next one.
 */
export async function cleanUp(plan: Plan, runId: string, { console }: Context): Promise<void> {
  const job = plan.job.definition.name;
  try {
    await plan.source.source.thaw(runId);
    await plan.sink.sink.discard(runId);
    const over = async () => new Set((await plan.ledger.entries({ job, state: 'completed' })).map((entry) => entry.runId));
    // Deadlines are of the real clock; the pinned "now" of a rerun has nothing to say about them.
    const now = Date.now();
    await plan.source.source.collect(over, now);
    await plan.sink.sink.collect(over, now);
  } catch (error) {
    console.warn(`scratch could not be cleaned up: ${error instanceof Error ? error.message : String(error)}`);
  }
}
