import { judgeArtifacts } from './judged-artifacts.ts';
import type { ActiveRun } from './progress.ts';

/**
 * Drops the run's own scratch, except rows that the job keeps, and what earlier runs of the job have left that is finished or
 * past its deadline. Errors are warnings: the next run tries again.
 *
 * @param challengerRunId run of the challenger, if any
 */
export async function cleanUp(
  { plan, progress: { runId }, context: { console } }: ActiveRun,
  challengerRunId?: string,
): Promise<void> {
  const { source, sink } = plan;
  try {
    // Kept rows are judged below.
    if (plan.job.definition.source.keep_rows === undefined) await source.dropFrozen(runId);
    await sink.discard(runId);
    if (challengerRunId !== undefined) await sink.discard(challengerRunId);
    for (const left of await judgeArtifacts([source, sink], plan.ledger, plan.job.definition, Date.now())) {
      if (left.deletable) await left.drop();
    }
  } catch (error) {
    console.warn(`could not clean up scratch: ${error instanceof Error ? error.message : String(error)}`);
  }
}
