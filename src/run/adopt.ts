import { type Run, runsOf } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import { type ActiveRun, type Progress, windowFilter } from './progress.ts';

/**
 * Adopts the result if another process has published this run.
 *
 * @returns whether it did
 * @throws as `takeOver`
 */
export async function adopt(active: ActiveRun): Promise<boolean> {
  const run = await publishedMeanwhile(active);
  if (run === undefined) return false;
  takeOver(run, active.progress);
  return true;
}

/** This run as another process published it; undefined if none did. */
export async function publishedMeanwhile({ plan, progress: { runId } }: ActiveRun): Promise<Run | undefined> {
  const run = runsOf(await plan.ledger.entries(windowFilter(plan))).find((other) => other.runId === runId);
  return run?.state === 'published' || run?.state === 'completed' ? run : undefined;
}

/**
 * Copies state, rows and details of a published run.
 *
 * @throws ScoreBatchError `conflict` if it was published from other frozen rows: two sources have the same identity, or this
 *   process froze its rows too late
 */
export function takeOver(run: Run, progress: Progress): void {
  const { frozen } = run.details;
  if (frozen !== undefined && progress.frozen !== undefined && frozen !== progress.frozen) {
    throw new ScoreBatchError(
      'conflict',
      `run ${run.runId} was published from other frozen rows, by a process on ${run.host}`,
      {
        hint: 'if this process was suspended for a long time, nothing is wrong; otherwise two different sources have the same identity: give the jobs different names or different sinks',
      },
    );
  }
  progress.state = run.state;
  progress.rows = run.rows;
  progress.details = run.details;
}
