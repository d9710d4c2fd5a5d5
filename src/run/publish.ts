import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { applyGates } from '../domain/gates.ts';
import type { RunDetails } from '../domain/ledger.ts';
import { supersededWindow } from '../domain/publications.ts';
import type { AttemptTally } from '../domain/reconciliation.ts';
import { recordedDrift } from '../domain/recorded-drift.ts';
import { emptiedWindows, rowsBefore } from '../plan/publications.ts';
import { recordedPath } from '../report/place.ts';
import { scoresBefore } from './drift.ts';
import { measureDrift } from './feature-drift.ts';
import { type ActiveRun, entryOf } from './progress.ts';
import { explainHighest } from './reasons.ts';
import { reconcile } from './reconcile.ts';
import { outcomeRefusal, refusal } from './refuse.ts';

export interface PublishOptions {
  readonly allowEmpty: boolean;
}

/**
 * Reconciles what is staged with what was frozen, applies the gates, and publishes.
 *
 * @returns false if another process has already published this run
 * @throws ScoreBatchError `conflict` if a chunk is missing or another run was faster, `refused` if a gate fails
 */
export async function publishFrozen(active: ActiveRun, frozen: FrozenTable, options: PublishOptions): Promise<boolean> {
  const { plan, progress, context } = active;
  const { clock, runId } = progress;
  const { definition } = plan.job;
  clock.enter('reconcile');
  const reference = plan.bundle.definition.reference?.score;
  const before = await scoresBefore(plan);
  const reconciliation = await reconcile(plan, frozen, runId, reference?.edges ?? before?.edges);
  progress.rows = reconciliation.rows;
  const features = await measureDrift(plan, frozen);
  const gates = applyGates(reconciliation, {
    limits: definition.gates,
    refuseDuplicates: definition.source.duplicates === 'refuse',
    superseded: progress.supersedes?.rows,
    previous: rowsBefore(plan),
    reference,
    before,
    featureDrift: features?.drift,
    allowEmpty: options.allowEmpty,
  });
  const outcomes = await checkOutcomes(active);
  const warnings = [...(features?.warnings ?? []), ...gates.warnings, ...outcomes.warnings];
  progress.details = {
    ...progress.details,
    rejections: reconciliation.rejections,
    texts: reconciliation.texts,
    score_psi: gates.scorePsi ?? null,
    score_psi_previous: gates.scorePsiBefore ?? null,
    ...(features && { feature_drift: recordedDrift(features.drift) }),
    model_changed: plan.modelChanged ?? null,
    time_zone: plan.window.zone,
    ...(reference && { score_reference: reference }),
    ...(plan.estimatedBytes !== undefined && { estimated_bytes: plan.estimatedBytes }),
    also_wrote: plan.reported
      ? (['report', 'summary', 'drift'] as const).filter((table) => plan.tables[table] !== undefined)
      : [],
    ...(plan.overlaps.length > 0 && { supersedes_windows: plan.overlaps.map(supersededWindow) }),
    ...(plan.challenger && { challenger: plan.challenger.model }),
    providers: tallyProviders(reconciliation.pinned),
    frozen: frozen.id,
    ...scorerOf(reconciliation.pinned),
    ...(plan.bundle.definition.trained?.through !== undefined && {
      trained_through: String(plan.bundle.definition.trained.through),
    }),
    warnings,
    table: plan.tables.scores.name,
    columns: plan.tables.scores.columns,
    ...(plan.reportFiles.length > 0 && { report: plan.reportFiles.map((file) => recordedPath(file.path, plan.job.root)) }),
    seconds: clock.seconds,
  };
  for (const label of emptiedWindows(plan.window, plan.overlaps)) {
    context.console.warn(
      `${plan.window.label} supersedes the overlapping window ${label}, which is no longer published: run ${label} again`,
    );
  }
  for (const warning of warnings) context.console.warn(warning);
  if (gates.refusals.length > 0) throw await refusal(plan, runId, gates, reconciliation);
  if (outcomes.refusals.length > 0) throw outcomeRefusal(plan.window.label, outcomes.refusals);
  const reasons = await explainHighest(active, frozen, reconciliation.pinned);
  context.console.info(`publishing ${counted(reconciliation.rows.scored, 'score')} as run ${runId}`);
  clock.enter('publish');
  const mine = await plan.sink.publish({
    entry: entryOf(active, 'published', progress.details),
    supersedes: progress.supersedes?.runId,
    overlaps: plan.overlaps,
    sharedTables: definition.sink.shared_tables,
    pinned: reconciliation.pinned,
    tables: plan.tables,
    key: plan.key,
    keep: plan.keep,
    bands: definition.score.bands,
    segments: definition.report.segments,
    drift: features?.drift,
    reported: plan.reported,
    scored: reconciliation.rows.scored,
    reasons,
    holdout: definition.report.holdout,
  });
  if (mine) progress.state = 'published';
  return mine;
}

/** Evaluates earlier windows whose outcomes are known by now. Loaded only for a job that has labels. */
async function checkOutcomes(active: ActiveRun) {
  if (active.plan.job.labels === undefined) return { refusals: [], warnings: [] };
  const { evaluateMatured } = await import('./evaluate-matured.ts');
  return await evaluateMatured(active);
}

/** The scorer, which all pinned attempts share. */
function scorerOf(pinned: readonly AttemptTally[]): Pick<RunDetails, 'scorer'> {
  const scorer = pinned.find(({ facts }) => facts !== undefined)?.facts?.scorer;
  return scorer === undefined ? {} : { scorer };
}

function tallyProviders(attempts: readonly AttemptTally[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const { provider } of attempts) tally[provider] = (tally[provider] ?? 0) + 1;
  return tally;
}
