import type { Context } from '../context.ts';
import { counted, grouped } from '../domain/counted.ts';
import type { FreezeOutput, ScoreOutput } from '../json/phases.ts';
import type { RunOutput } from '../json/run.ts';
import { makePlan, type Plan, type PlanOptions } from '../plan/plan.ts';
import { freezePhase, publishPhase, scorePhase } from '../run/phases.ts';
import { showSummary } from '../run/summary.ts';
import type { AcceptFlags } from './accept.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { chooseShard, refuseLocalShards, type ShardFlags } from './shard.ts';

interface PhaseFlags extends JobFlags, WindowOptions {
  readonly requireGpu?: boolean;
  readonly workers?: number;
  readonly skipPublished?: boolean;
}

export interface FreezeFlags extends PhaseFlags {
  readonly fresh?: boolean;
  readonly skipEmpty?: boolean;
  readonly replaceOverlapping?: boolean;
}

/** Begins the window's run and freezes its rows. */
export async function freezeCommand(flags: FreezeFlags, context: Context): Promise<FreezeOutput> {
  const plan = await planned(flags, 'freeze', context);
  const options = {
    fresh: flags.fresh ?? false,
    skipEmpty: flags.skipEmpty ?? false,
    skipPublished: flags.skipPublished ?? false,
  };
  const summary = await freezePhase(plan, options, context);
  context.console.info(`${summary.state} ${summary.window.label}, run ${summary.run_id}`, { summary });
  return summary;
}

export type ScoreFlags = PhaseFlags & ShardFlags;

/** Scores a shard of the window's frozen run. */
export async function scoreCommand(flags: ScoreFlags, context: Context): Promise<ScoreOutput> {
  const shard = chooseShard(flags, context.environment);
  const plan = await planned(flags, 'score', context);
  refuseLocalShards(shard, [plan.kinds.source, plan.kinds.sink]);
  const summary = await scorePhase(plan, { shard, skipPublished: flags.skipPublished ?? false }, context);
  const mine = `${grouped(summary.chunks_scored)} of ${counted(summary.chunks, 'chunk')} by shard ${summary.shard.index}/${summary.shard.count}`;
  context.console.info(`${summary.state} ${summary.window.label}: ${mine}, run ${summary.run_id}`, { summary });
  return summary;
}

export type PublishFlags = PhaseFlags & AcceptFlags;

/** Publishes the window's frozen run once every chunk is staged, or a refused run that somebody accepts. */
export async function publishCommand(flags: PublishFlags, context: Context): Promise<RunOutput> {
  if (flags.run !== undefined || flags.accept !== undefined || flags.reason !== undefined) {
    const { acceptCommand } = await import('./accept.ts');
    return await acceptCommand(flags, context);
  }
  const plan = await planned(flags, 'publish', context);
  const { allowEmpty = false, skipEmpty = false, skipPublished = false } = flags;
  const options = { allowEmpty, skipEmpty, skipPublished, force: flags.force };
  const summary = await publishPhase(plan, options, context);
  context.console.info(showSummary(summary), { summary });
  return summary;
}

async function planned(
  flags: PhaseFlags & Pick<PublishFlags, 'force' | 'replaceOverlapping' | 'deliver'> & Pick<FreezeFlags, 'fresh'>,
  phase: PlanOptions['phase'],
  context: Context,
): Promise<Plan> {
  const job = { ...(await namedJob(flags, context)), deliver: flags.deliver };
  const window = chooseWindow(flags, job.definition, context);
  const { requireGpu = false, workers, force, replaceOverlapping, fresh } = flags;
  return await makePlan(job, window, { requireGpu, workers, phase, force, replaceOverlapping, fresh }, context);
}
