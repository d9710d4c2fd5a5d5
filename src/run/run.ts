import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { ALONE } from '../domain/sharing.ts';
import { observed } from '../observe/observed.ts';
import type { Plan } from '../plan/plan.ts';
import { startThreads, type TapThreads } from '../tap/threads.ts';
import { type BeginOptions, begin } from './begin.ts';
import { finish, publishOnce } from './finish.ts';
import { freezeWindow } from './freeze.ts';
import type { ActiveRun } from './progress.ts';
import { type PublishOptions, publishFrozen } from './publish.ts';
import { scoreFrozen } from './score.ts';
import { shown } from './shown.ts';
import type { RunSummary } from './summary.ts';
import { scoreTapped } from './tap.ts';

export interface RunOptions extends PublishOptions, BeginOptions {
  readonly skipEmpty: boolean;
  /** Threads ready to tap rows; by default they start when needed. */
  readonly threads?: TapThreads;
  /** For a run that publishes after runs of other windows. */
  readonly turn?: Turn;
}

/** A run's turn among runs in parallel. */
interface Turn {
  /** Waits for the preceding runs. */
  wait(): Promise<void>;
  /** The plan to publish by once they have ended, since gates depend on what they published. */
  plan(plan: Plan): Promise<Plan>;
}

/**
 * Takes one window from the source to the report: freeze, score, reconcile, publish, report. Crash-only: killed anywhere, the
 * same call resumes from what is durable.
 *
 * @throws ScoreBatchError whose kind tells a scheduler what to do; Interrupted if a signal ended the run
 */
export async function run(plan: Plan, options: RunOptions, context: Context): Promise<RunSummary> {
  return await shown(plan, async () => {
    const active = await begin(plan, options, context);
    return await observed(active, async () => {
      if (options.skipPublished && active.progress.state !== 'started') return await finish(active, 'already published');
      // Only the report is missing, but its page shows earlier windows, so wait for them.
      if (active.progress.state !== 'started') await options.turn?.wait();
      return await publishOnce(active, async () => {
        const frozen = await scoreWindow(active, options);
        return await publishFrozen(await readyToPublish(active, options), frozen, options);
      });
    });
  });
}

async function readyToPublish(active: ActiveRun, { turn }: RunOptions): Promise<ActiveRun> {
  if (turn === undefined) return active;
  // Waiting does not count as scoring time.
  active.progress.clock.enter('plan');
  await turn.wait();
  return { ...active, plan: await turn.plan(active.plan) };
}

/** Scores the window. Rows that a phase or an earlier start has already frozen are used. */
export async function scoreWindow(
  active: ActiveRun,
  { skipEmpty, threads = startThreads(undefined) }: Pick<RunOptions, 'skipEmpty' | 'threads'>,
): Promise<FrozenTable> {
  const { tap, source } = active.plan;
  if (tap !== undefined && (await source.frozen(active.progress.runId)) === undefined)
    return await scoreTapped(active, { tap, threads, skipEmpty });
  await threads.close();
  const frozen = await freezeWindow(active, skipEmpty);
  await scoreFrozen(active, frozen, ALONE);
  return frozen;
}
