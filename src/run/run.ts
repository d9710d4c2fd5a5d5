import type { Context } from '../context.ts';
import { applyGates } from '../domain/gates.ts';
import { currentPublication, type RunDetails } from '../domain/ledger.ts';
import type { AttemptTally } from '../domain/reconciliation.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { adopt, begin, published } from './begin.ts';
import { cleanUp } from './clean-up.ts';
import { entryOf, type Progress } from './progress.ts';
import { reconcile } from './reconcile.ts';
import { refusal } from './refuse.ts';
import { finishReport } from './report.ts';
import { scoreFrozen } from './score.ts';
import { type RunSummary, summarize } from './summary.ts';

export interface RunOptions {
  readonly allowEmpty: boolean;
  readonly skipEmpty: boolean;
  readonly skipPublished: boolean;
  readonly fresh: boolean;
}

/**
 * One window from the source to the report: freeze, score, reconcile, publish, report. Crash-only: killed anywhere, the same
 * call goes on from what is durable.
 *
 * @param planSeconds time that the plan took, for the summary
 * @throws ScoreBatchError whose kind says what a scheduler should do; Interrupted where a signal ended it
 */
export async function run(plan: Plan, options: RunOptions, planSeconds: number, context: Context): Promise<RunSummary> {
  const earlier = options.skipPublished ? await published(plan) : undefined;
  if (earlier) return await finish(plan, earlier, 'already published', context);
  const progress = await begin(plan, options.fresh);
  progress.clock.add('plan', planSeconds);
  try {
    const mine = progress.state === 'published' || (await publishWindow(plan, options, progress, context));
    if (mine) return await finish(plan, progress, 'published', context);
  } catch (error) {
    if (progress.state === 'published') throw error;
    // Another process of this very run may have published, and cleaned up, while this one was at work: that is a success.
    if (error instanceof Interrupted || !(await adopt(plan, progress).catch(() => false))) {
      await recordFailure(plan, progress, error, context);
      throw error;
    }
    return await finish(plan, progress, 'already published', context);
  }
  await adopt(plan, progress);
  return await finish(plan, progress, 'already published', context);
}

async function finish(plan: Plan, progress: Progress, state: RunSummary['state'], context: Context): Promise<RunSummary> {
  await finishReport(plan, progress, context);
  await cleanUp(plan, progress.runId, context);
  return summarize(plan, progress.runId, state, progress.rows, progress.details);
}

/** @returns whether this process published; false where another one of the same run had done it */
async function publishWindow(plan: Plan, options: RunOptions, progress: Progress, context: Context): Promise<boolean> {
  const { clock, runId } = progress;
  const { definition } = plan.job;
  context.console.info(`freezing ${plan.window.label}`);
  const frozen = await clock.time('freeze', () =>
    plan.source.source.freeze(plan.query, {
      runId,
      key: plan.key,
      columns: plan.needed,
      chunkRows: definition.score.chunk_rows,
    }),
  );
  context.console.info(
    `froze ${frozen.rows.toLocaleString('en')} rows of ${plan.window.label} in ${frozen.chunks.length} ${frozen.chunks.length === 1 ? 'chunk' : 'chunks'}`,
  );
  if (frozen.rows === 0 && options.skipEmpty) {
    throw new ScoreBatchError('nothing to score', `the window ${plan.window.label} has no rows and was skipped`);
  }
  await scoreFrozen(plan, frozen, progress, context);
  const reconciliation = await clock.time('reconcile', () => reconcile(plan, frozen, runId));
  progress.rows = reconciliation.rows;
  const gates = applyGates(reconciliation, {
    limits: definition.gates,
    refuseDuplicates: definition.source.duplicates === 'refuse',
    replaced: progress.replaces?.rows,
    previous: currentPublication(plan.previousEntries)?.rows,
    reference: plan.bundle.definition.reference?.score,
    allowEmpty: options.allowEmpty,
  });
  progress.details = {
    ...progress.details,
    rejections: reconciliation.rejections,
    score_psi: gates.scorePsi ?? null,
    providers: tallyProviders(reconciliation.pinned),
    warnings: gates.warnings,
    table: plan.tables.scores.name,
    columns: plan.tables.scores.columns,
    seconds: clock.seconds,
  };
  for (const warning of gates.warnings) context.console.warn(warning);
  if (gates.refusals.length > 0) throw await refusal(plan, runId, gates.refusals, reconciliation);
  context.console.info(`publishing ${reconciliation.rows.scored.toLocaleString('en')} scores as run ${runId}`);
  const mine = await clock.time('publish', () =>
    plan.sink.sink.publish({
      entry: entryOf(plan, progress, 'published', progress.details),
      supersedes: progress.replaces?.runId,
      pinned: reconciliation.pinned,
      tables: plan.tables,
      key: plan.key,
      keep: plan.keep,
      bands: definition.score.bands,
      segments: definition.report.segments,
      reported: plan.reported,
      scored: reconciliation.rows.scored,
    }),
  );
  if (mine) progress.state = 'published';
  return mine;
}

function tallyProviders(attempts: readonly AttemptTally[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const { provider } of attempts) tally[provider] = (tally[provider] ?? 0) + 1;
  return tally;
}

/** A refusal is final: data or limits must change first. Anything else is gone on with. Best effort: the error itself counts. */
async function recordFailure(plan: Plan, progress: Progress, error: unknown, { console }: Context): Promise<void> {
  const kind = error instanceof ScoreBatchError ? error.kind : undefined;
  const state = kind === 'refused' ? 'refused' : kind === 'nothing to score' ? 'skipped' : 'failed';
  const message = error instanceof Error ? error.message : String(error);
  const more = error instanceof ScoreBatchError ? error.details : [];
  const details: RunDetails = { ...progress.details, seconds: progress.clock.seconds, error: [message, ...more].join('; ') };
  try {
    await plan.ledger.append(entryOf(plan, progress, state, details));
  } catch (cause) {
    console.debug(`the ledger could not be told: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
