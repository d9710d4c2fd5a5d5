import type { Context } from '../context.ts';
import type { Window } from '../domain/window.ts';
import type { Job } from '../job/load.ts';
import { readHistoryAgain } from '../plan/history-again.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { threadsToStart } from '../plan/tap.ts';
import { run } from '../run/run.ts';
import type { RunSummary } from '../run/summary.ts';
import { startThreads } from '../tap/threads.ts';

/** How a backfill runs each window; as the flags of `run`. */
export interface WindowRunOptions {
  readonly allowEmpty: boolean;
  readonly skipEmpty: boolean;
  readonly skipPublished: boolean;
  readonly fresh: boolean;
  readonly requireGpu: boolean;
  readonly workers: number | undefined;
  readonly force: boolean;
  readonly replaceOverlapping: boolean;
  /** Resolves once the earlier windows have ended; undefined if no window runs beside this one. */
  readonly earlierEnded: (() => Promise<void>) | undefined;
}

/**
 * Runs one window of a backfill. It is published after the earlier windows: gates compare it with them.
 *
 * @throws ScoreBatchError as `run`
 */
export async function runWindow(job: Job, window: Window, options: WindowRunOptions, context: Context): Promise<RunSummary> {
  const { requireGpu, workers, force, replaceOverlapping, earlierEnded, ...more } = options;
  const threads = startThreads(threadsToStart(job.definition, workers));
  context.atEnd(() => threads.close());
  const plan = await makePlan(
    job,
    window,
    { requireGpu, workers, phase: 'all', force, replaceOverlapping, fresh: more.fresh },
    context,
  );
  const turn = earlierEnded && { wait: earlierEnded, plan: (planned: Plan) => readHistoryAgain(planned, replaceOverlapping) };
  return await run(plan, { ...more, threads, ...(turn && { turn }) }, context);
}
