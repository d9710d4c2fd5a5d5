import type { Context } from '../context.ts';
import type { RunOutput } from '../json/run.ts';
import { makePlan } from '../plan/plan.ts';
import { threadsToStart } from '../plan/tap.ts';
import { run } from '../run/run.ts';
import { showSummary } from '../run/summary.ts';
import { startThreads } from '../tap/threads.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';

export interface RunFlags extends JobFlags, WindowOptions {
  readonly allowEmpty?: boolean;
  readonly skipEmpty?: boolean;
  readonly skipPublished?: boolean;
  readonly fresh?: boolean;
  readonly requireGpu?: boolean;
  readonly workers?: number;
  readonly force?: boolean;
  readonly replaceOverlapping?: boolean;
  readonly asOf?: string;
  readonly slice?: boolean;
  readonly snapshot?: boolean;
  /** False with `--no-deliver`. */
  readonly deliver?: boolean;
}

/** Scores and publishes a window. @returns the summary, for `--json` */
export async function runCommand(flags: RunFlags, context: Context): Promise<RunOutput> {
  const job = { ...(await namedJob(flags, context)), deliver: flags.deliver };
  const window = chooseWindow(flags, job.definition, context);
  const { requireGpu = false, workers, force, replaceOverlapping, asOf } = flags;
  const threads = startThreads(asOf === undefined ? threadsToStart(job.definition, workers) : undefined);
  context.atEnd(() => threads.close());
  const plan = await makePlan(
    job,
    window,
    { requireGpu, workers, phase: 'all', force, replaceOverlapping, asOf, fresh: flags.fresh },
    context,
  );
  const summary = await run(
    plan,
    {
      allowEmpty: flags.allowEmpty ?? false,
      force,
      skipEmpty: flags.skipEmpty ?? false,
      skipPublished: flags.skipPublished ?? false,
      fresh: flags.fresh ?? false,
      threads,
    },
    context,
  );
  context.console.info(showSummary(summary), { summary });
  return summary;
}
