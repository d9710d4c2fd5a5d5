import type { Context } from '../context.ts';
import { applyGates } from '../domain/gates.ts';
import { currentPublication, ledgerWindow, type RunDetails, runsOf } from '../domain/ledger.ts';
import type { AttemptTally } from '../domain/reconciliation.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { begin } from './begin.ts';
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
  const current = currentPublication(plan.entries);
  if (options.skipPublished && current) return summaryOfPublished(plan, current.runId);
  const progress = await begin(plan, options.fresh);
  progress.clock.add('plan', planSeconds);
  try {
    if (progress.state !== 'published') await publishWindow(plan, options, progress, context);
    await finishReport(plan, progress, context);
  } catch (error) {
    // Another process of this very run may have published while this one was at work: that is a success.
    if (progress.state !== 'published' && (await publishedByAnother(plan, progress.runId)))
      return summaryOfPublished(plan, progress.runId);
    await recordFailure(plan, progress, error, context);
    throw error;
  }
  await cleanUp(plan, progress.runId, context);
  return summarize(plan, progress.runId, 'published', progress.rows, progress.details);
}

async function publishWindow(plan: Plan, options: RunOptions, progress: Progress, context: Context): Promise<void> {
  const { clock, runId } = progress;
  const { definition } = plan.job;
  context.console.info(`freezing ${plan.window.label}`);
  const frozen = await clock.time('freeze', () =>
    plan.source.source.freeze(plan.query, {
      runId,
      job: definition.name,
      key: plan.key,
      columns: neededColumns(plan),
      chunkRows: definition.score.chunk_rows,
    }),
  );
  context.console.info(
    `froze ${frozen.rows.toLocaleString('en')} rows of ${plan.window.label} in ${frozen.chunks.length} chunks`,
  );
  if (frozen.rows === 0 && options.skipEmpty) {
    throw new ScoreBatchError('nothing to score', `the window ${plan.window.label} has no rows and was skipped`);
  }
  await scoreFrozen(plan, frozen, progress, context);
  const reconciliation = await clock.time('reconcile', () => reconcile(plan, frozen, runId));
  progress.rows = reconciliation.rows;
  const current = currentPublication(plan.entries);
  const gates = applyGates(reconciliation, {
    limits: definition.gates,
    refuseDuplicates: definition.source.duplicates === 'refuse',
    replaced: current?.rows,
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
    columns: plan.tables.scores.columns,
    seconds: clock.seconds,
  };
  for (const warning of gates.warnings) context.console.warn(warning);
  if (gates.refusals.length > 0) throw await refusal(plan, runId, gates.refusals, reconciliation);
  context.console.info(`publishing ${reconciliation.rows.scored.toLocaleString('en')} scores as run ${runId}`);
  await clock.time('publish', () =>
    plan.sink.sink.publish({
      entry: entryOf(plan, progress, 'published', progress.details),
      supersedes: current?.runId,
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
  progress.state = 'published';
}

function neededColumns({ key, keep, features }: Plan): Plan['key'] {
  const seen = new Set<string>();
  return [...key, ...keep, ...features].filter(({ name }) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()));
}

function tallyProviders(attempts: readonly AttemptTally[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const { provider } of attempts) tally[provider] = (tally[provider] ?? 0) + 1;
  return tally;
}

async function summaryOfPublished(plan: Plan, runId: string): Promise<RunSummary> {
  const entries = await plan.ledger.entries({ job: plan.job.definition.name, window: ledgerWindow(plan.window) });
  const published = runsOf(entries).find((other) => other.runId === runId);
  return summarize(plan, runId, 'already published', published?.rows, published?.details ?? {});
}

async function publishedByAnother(plan: Plan, runId: string): Promise<boolean> {
  const entries = await plan.ledger
    .entries({ job: plan.job.definition.name, window: ledgerWindow(plan.window) })
    .catch(() => []);
  return runsOf(entries).some((other) => other.runId === runId && (other.state === 'published' || other.state === 'completed'));
}

/** A refusal is final: data or limits must change first. Anything else is gone on with. Best effort: the error itself counts. */
async function recordFailure(plan: Plan, progress: Progress, error: unknown, { console }: Context): Promise<void> {
  if (progress.state === 'published') return;
  const final = error instanceof ScoreBatchError && (error.kind === 'refused' || error.kind === 'nothing to score');
  const message = error instanceof Error ? error.message : String(error);
  const more = error instanceof ScoreBatchError ? error.details : [];
  const details: RunDetails = { ...progress.details, seconds: progress.clock.seconds, error: [message, ...more].join('; ') };
  try {
    await plan.ledger.append(entryOf(plan, progress, final ? 'refused' : 'failed', details));
  } catch (cause) {
    console.debug(`the ledger could not be told: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
