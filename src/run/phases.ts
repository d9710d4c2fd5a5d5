import type { Context } from '../context.ts';
import type { Execution } from '../domain/execution.ts';
import type { RunRows } from '../domain/rows.ts';
import type { Shard } from '../domain/sharing.ts';
import { bottleneck, type Rates, ratesOf } from '../domain/speed.ts';
import type { StageSeconds } from '../domain/stages.ts';
import { NO_WORKER_TIME, type WorkerTime } from '../domain/worker-time.ts';
import { observed } from '../observe/observed.ts';
import type { Plan } from '../plan/plan.ts';
import { adopt } from './adopt.ts';
import { type BeginOptions, begin } from './begin.ts';
import { cleanUp } from './clean-up.ts';
import { publishOnce, unlessPublished } from './finish.ts';
import { freezeWindow, refuseEmpty } from './freeze.ts';
import { type Joined, join } from './join.ts';
import { type ActiveRun, entryOf } from './progress.ts';
import { type PublishOptions, publishFrozen } from './publish.ts';
import { type Scored, scoreFrozen } from './score.ts';
import { shown } from './shown.ts';
import { type RunSummary, showWindow, type WindowSummary } from './summary.ts';

// The steps of `run` one by one, for processes on several machines. They share only the job file and the warehouses: the ledger
// identifies the run, and scratch holds its progress.

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

/** Begins the window's run or resumes an unfinished one, and freezes its rows. */
export async function freezePhase(
  plan: Plan,
  options: BeginOptions & { readonly skipEmpty: boolean },
  context: Context,
): Promise<FreezeSummary> {
  return await shown(plan, async () => {
    const active = await begin(plan, options, context);
    return await observed(active, () => freeze(active, options.skipEmpty));
  });
}

async function freeze(active: ActiveRun, skipEmpty: boolean): Promise<FreezeSummary> {
  const { plan, progress } = active;
  const frozen =
    progress.state === 'started' &&
    (await unlessPublished(active, async () => {
      const made = await freezeWindow(active, skipEmpty);
      const details = { chunks: made.chunks.length, seconds: progress.clock.seconds };
      await plan.ledger.append(entryOf(active, 'started', details));
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
  /** `index` starts at 1, as on the command line. */
  readonly shard: Shard;
  readonly chunks: number;
  readonly chunks_scored: number;
  readonly rows_scored: number;
  readonly providers: Scored['providers'];
  readonly execution: Execution | null;
  readonly batch_rows_halved_to: number | null;
  /** Seconds of this process. The ledger does not record the time of shards. */
  readonly seconds: StageSeconds;
  readonly workers: WorkerTime;
  readonly rows_per_second: Rates;
  readonly bottleneck: string;
}

/**
 * Scores a shard of the window's frozen run, and chunks that other shards are late with. On return, every chunk is staged.
 *
 * @throws ScoreBatchError `conflict` if nothing is frozen
 */
export async function scorePhase(
  plan: Plan,
  { shard, skipPublished }: Pick<BeginOptions, 'skipPublished'> & { readonly shard: Shard },
  context: Context,
): Promise<ScoreSummary> {
  return await shown(plan, async () => {
    const joined = await join(plan, skipPublished, context);
    return await observed(joined.active, () => score(joined, shard));
  });
}

async function score({ active, frozen }: Joined, shard: Shard): Promise<ScoreSummary> {
  const { plan, progress } = active;
  const scored = frozen !== undefined && (await unlessPublished(active, () => scoreFrozen(active, frozen, shard)));
  if (scored && plan.challenger !== undefined) {
    const { scoreChallenger } = await import('./challenge.ts');
    await scoreChallenger(active, frozen, shard);
  }
  // This process may have staged chunks after the publishing process cleaned up. A challenger still needs the frozen rows of a
  // run that is not completed.
  const isOver = frozen !== undefined && (!scored || (await adopt(active)));
  if (isOver && (plan.challenger === undefined || progress.state !== 'published')) await cleanUp(active);
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
 * Publishes the window's frozen run once all its chunks are staged, then writes its report and cleans up.
 *
 * @throws ScoreBatchError `conflict` if a chunk is missing, or nothing is frozen
 */
export async function publishPhase(
  plan: Plan,
  options: PublishOptions & Pick<BeginOptions, 'skipPublished'> & { readonly skipEmpty: boolean },
  context: Context,
): Promise<RunSummary> {
  return await shown(plan, async () => {
    const { active, frozen } = await join(plan, options.skipPublished, context);
    return await observed(active, () =>
      publishOnce(active, async () => {
        if (frozen === undefined) return false;
        if (options.skipEmpty) refuseEmpty(plan, frozen);
        return await publishFrozen(active, frozen, options);
      }),
    );
  });
}

function phaseOf(plan: Plan, runId: string): PhaseSummary {
  return { job: plan.job.definition.name, window: showWindow(plan.window), run_id: runId };
}
