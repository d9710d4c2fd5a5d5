import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Context } from '../context.ts';
import type { Reconciliation } from '../domain/reconciliation.ts';
import type { StageSeconds } from '../domain/stages.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { threadsToStart } from '../plan/tap.ts';
import { startThreads } from '../tap/threads.ts';
import { reconcile } from './reconcile.ts';
import { scoreWindow } from './run.ts';
import { progressOf } from './unfinished.ts';

/** Rows that are scored and staged, but neither published nor in the ledger. */
export interface Aside {
  readonly plan: Plan;
  readonly runId: string;
  readonly pinned: Reconciliation['pinned'];
  readonly rows: Reconciliation['rows'];
  /** Time so far, from planning to reconciling. */
  readonly seconds: StageSeconds;
  /** Number of scoring workers. */
  readonly workers: number;
}

/**
 * Scores the source's present rows of a window with another bundle, passes them on, and discards them. If the process is
 * killed, `gc` drops what is left in scratch.
 *
 * @param model folder of the bundle
 * @throws ScoreBatchError `refused` if the source has no row of the window that can be scored
 */
export async function scoreAside<T>(
  { job, window, model }: { readonly job: Job; readonly window: Window; readonly model: string },
  context: Context,
  work: (aside: Aside) => Promise<T>,
): Promise<T> {
  const threads = startThreads(threadsToStart(job.definition, undefined));
  context.atEnd(() => threads.close());
  const plan = await makePlan(
    withModel(job, model),
    window,
    { requireGpu: false, workers: undefined, phase: 'aside' },
    context,
  );
  const runId = `${window.label}-aside-${randomBytes(6).toString('hex')}`;
  const active = { plan, progress: { ...progressOf(plan, [], undefined, context.began), runId }, context };
  try {
    const frozen = await scoreWindow(active, { skipEmpty: false, threads });
    active.progress.clock.enter('reconcile');
    const { pinned, rows } = await reconcile(active, frozen, undefined);
    if (rows.scored === 0) {
      throw new ScoreBatchError(
        'refused',
        `the source has no row of ${window.label} that ${path.basename(model)} could score`,
        {
          hint: 'check the source: its rows of this window may have been deleted since',
        },
      );
    }
    const { clock, details } = active.progress;
    return await work({ plan, runId, pinned, rows, seconds: clock.seconds, workers: details.workers?.workers ?? 0 });
  } finally {
    await discard(active.plan, runId, context);
  }
}

async function discard({ source, sink }: Plan, runId: string, { console }: Context): Promise<void> {
  try {
    await source.dropFrozen(runId);
    await sink.discard(runId);
  } catch (error) {
    console.warn(`could not clean up scratch: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The job with another bundle, and without settings that only concern publishing. */
function withModel(job: Job, model: string): Job {
  const { definition } = job;
  const { reasons: _, ...score } = definition.score;
  const { max_score_psi: _psi, max_feature_psi: _feature, max_null_share: _null, ...gates } = definition.gates;
  const { page: _page, drift_table: _drift, csv: _csv, parquet: _parquet, xlsx: _xlsx, ...report } = definition.report;
  return { ...job, located: undefined, definition: { ...definition, model, score, gates, report } };
}
