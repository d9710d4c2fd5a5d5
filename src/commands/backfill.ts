import { type Backfilled, backfill } from '../backfill/backfill.ts';
import { showError } from '../backfill/outcome.ts';
import type { Context } from '../context.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { BackfillOutput } from '../json/backfill.ts';
import { windowsBetween } from '../window/bulk.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';
import type { RunFlags } from './run.ts';

export interface BackfillFlags extends JobFlags, Omit<RunFlags, 'week' | 'date' | 'hour' | 'allowOpen' | 'skipPublished'> {
  readonly redo?: boolean;
  readonly jobs?: number;
  readonly onRefusal?: 'stop' | 'continue';
}

/**
 * Runs the missing windows of a range, oldest first.
 *
 * @returns the object for `--json`, and the error to fail with once that is shown
 */
export async function backfillCommand(
  flags: BackfillFlags,
  context: Context,
): Promise<{ readonly data: BackfillOutput; readonly failure: unknown }> {
  // Nobody waits for past windows.
  const job = { ...(await namedJob(flags, context)), deliver: false };
  const { definition } = job;
  // Without `--from` and `--to` there are no windows.
  const { from = '', to = '' } = flags;
  const windows = windowsBetween(flags, definition.every, definition.time_zone, context.now);
  const jobs = jobsAtOnce(flags.jobs ?? 1, definition, context);
  const result: Backfilled = await backfill(
    job,
    windows,
    {
      redo: flags.redo ?? false,
      jobs,
      stopAtFailure: flags.onRefusal !== 'continue',
      allowEmpty: flags.allowEmpty ?? false,
      skipEmpty: flags.skipEmpty ?? false,
      fresh: flags.fresh ?? false,
      requireGpu: flags.requireGpu ?? false,
      workers: flags.workers,
      force: flags.force ?? false,
      replaceOverlapping: flags.replaceOverlapping ?? false,
    },
    context,
  );
  const { failure } = result;
  return {
    data: {
      job: definition.name,
      from,
      to,
      jobs,
      windows: result.windows,
      error: failure === undefined ? null : showError(failure),
    },
    failure,
  };
}

/**
 * Limits parallel windows to one with WebGPU: two sessions on one device abort the process, and a plan tries the model while
 * another window is scored.
 */
function jobsAtOnce(wanted: number, { score }: JobDefinition, { console }: Context): number {
  if (wanted === 1 || !score.providers.some((provider) => provider.startsWith('webgpu'))) return wanted;
  console.warn(`--jobs ${wanted} has no effect with the provider webgpu: windows run one after the other`);
  return 1;
}
