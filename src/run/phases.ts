import type { Context } from '../context.ts';
import type { Execution } from '../domain/execution.ts';
import type { RunRows } from '../domain/rows.ts';
import type { Shard } from '../domain/sharing.ts';
import { bottleneck, type Rates, ratesOf } from '../domain/speed.ts';
import type { StageSeconds } from '../domain/stages.ts';
import { NO_WORKER_TIME, type WorkerTime } from '../domain/worker-time.ts';
import type { Plan } from '../plan/plan.ts';
import { adopt, type BeginOptions, begin, join } from './begin.ts';
import { cleanUp } from './clean-up.ts';
import { publishOnce, unlessPublished } from './finish.ts';
import { freezeWindow, refuseEmpty } from './freeze.ts';
import { entryOf } from './progress.ts';
import { type PublishOptions, publishFrozen } from './publish.ts';
import { type Scored, scoreFrozen } from './score.ts';
import { type RunSummary, showWindow, type WindowSummary } from './summary.ts';

// The steps of `run` one by one, for processes on several machines. All that they have in common is the job file and the
// warehouses: which run it is, is in the ledger, and what is done of it in scratch.

interface PhaseSummary {
  readonly job: string;
  readonly window: WindowSummary;
  readonly run_id: string;
}

export interface FreezeSummary extends PhaseSummary {
  readonly state: 'frozen' | 'already published';
  readonly rows: RunRows['frozen'];
  readonly chunks: number;
}

/** Begins the window's run, or goes on with an unfinished one, and freezes its rows. */
export async function freezePhase(
  plan: Plan,
  options: BeginOptions & { readonly skipEmpty: boolean },
  context: Context,
): Promise<FreezeSummary> {
  const progress = await begin(plan, options, context);
  const frozen =
    progress.state === 'started' &&
    (await unlessPublished(plan, progress, context, async () => {
      const made = await freezeWindow(plan, options.skipEmpty, progress, context);
      const details = { chunks: made.chunks.length, seconds: progress.clock.seconds };
      await plan.ledger.append(entryOf(plan, progress, 'started', details));
      return made;
    }));
  const { rows, details } = progress;
  return {
    ...phaseOf(plan, progress.runId),
    state: frozen ? 'frozen' : 'already published',
    rows: frozen ? frozen.rows : (rows?.frozen ?? 0),
    chunks: frozen ? frozen.chunks.length : (details.chunks ?? 0),
  };
}

export interface ScoreSummary extends PhaseSummary {
  readonly state: 'scored' | 'already published';
  /** `index` counts from 1, as on the command line. */
  readonly shard: Shard;
  readonly chunks: number;
  readonly chunks_scored: number;
  readonly rows_scored: number;
  readonly providers: Scored['providers'];
  readonly execution: Execution | null;
  readonly batch_rows_halved_to: number | null;
  /** Of this process; what shards spend is in no ledger entry. */
  readonly seconds: StageSeconds;
  readonly workers: WorkerTime;
  readonly rows_per_second: Rates;
  readonly bottleneck: string;
}

/**
 * Scores a shard of the window's frozen run, and what other shards do not come to; at its end every chunk is staged.
 *
 * @throws ScoreBatchError `conflict` where nothing is frozen
 */
export async function scorePhase(
  plan: Plan,
  { shard, skipPublished }: Pick<BeginOptions, 'skipPublished'> & { readonly shard: Shard },
  context: Context,
): Promise<ScoreSummary> {
  const { progress, frozen } = await join(plan, skipPublished, context);
  const scored =
    frozen !== undefined &&
    (await unlessPublished(plan, progress, context, () => scoreFrozen(plan, frozen, shard, progress, context)));
  // What this one staged may have come after the others had cleaned up.
  if (frozen !== undefined && (!scored || (await adopt(plan, progress)))) await cleanUp(plan, progress.runId, context);
  const { chunks, rows, providers, time } = scored || { chunks: 0, rows: 0, providers: {}, time: NO_WORKER_TIME };
  const { seconds } = progress.clock;
  return {
    ...phaseOf(plan, progress.runId),
    state: scored ? 'scored' : 'already published',
    shard: { index: shard.index + 1, count: shard.count },
    chunks: progress.details.chunks ?? 0,
    chunks_scored: chunks,
    rows_scored: rows,
    providers,
    execution: (scored && progress.details.execution) || null,
    batch_rows_halved_to: (scored && progress.details.batch_rows_halved_to) || null,
    seconds,
    workers: time,
    rows_per_second: ratesOf(rows, seconds, time),
    bottleneck: bottleneck(seconds, time),
  };
}

/**
 * Publishes the window's frozen run once all its chunks are staged, with all that comes after it.
 *
 * @throws ScoreBatchError `conflict` where a chunk is missing, or nothing is frozen
 */
export async function publishPhase(
  plan: Plan,
  options: PublishOptions & Pick<BeginOptions, 'skipPublished'> & { readonly skipEmpty: boolean },
  context: Context,
): Promise<RunSummary> {
  const { progress, frozen } = await join(plan, options.skipPublished, context);
  return await publishOnce(plan, progress, context, async () => {
    if (frozen === undefined) return false;
    if (options.skipEmpty) refuseEmpty(plan, frozen);
    return await publishFrozen(plan, frozen, options, progress, context);
  });
}

function phaseOf(plan: Plan, runId: string): PhaseSummary {
  return { job: plan.job.definition.name, window: showWindow(plan.window), run_id: runId };
}
