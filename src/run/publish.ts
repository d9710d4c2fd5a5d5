import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { applyGates } from '../domain/gates.ts';
import { lastPublished, type RolledBack } from '../domain/ledger.ts';
import { supersededWindow } from '../domain/publications.ts';
import { type AttemptTally, meanScore } from '../domain/reconciliation.ts';
import { measuredDrift, recordedDrift } from '../domain/recorded-drift.ts';
import type { RunDetails } from '../domain/run-details.ts';
import { scoreClass } from '../domain/score-class.ts';
import type { Plan } from '../plan/plan.ts';
import { emptiedWindows, rowsBefore } from '../plan/publications.ts';
import { recordedPath } from '../report/place.ts';
import { type AcceptedRun, acceptanceOf, stagedDigest } from './acceptance.ts';
import { scoresBefore } from './drift.ts';
import { measureDrift } from './feature-drift.ts';
import { type ActiveRun, entryOf } from './progress.ts';
import { explainHighest } from './reasons.ts';
import { reconcile } from './reconcile.ts';
import { refusal } from './refuse.ts';

export interface PublishOptions {
  readonly allowEmpty: boolean;
  /** Set if the run was refused, and somebody accepts it. */
  readonly accepted?: AcceptedRun | undefined;
  /** Publish scores that were rolled back; false by default. */
  readonly force?: boolean | undefined;
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
  const reconciliation = await reconcile(active, frozen, reference?.edges ?? before?.edges);
  progress.rows = reconciliation.rows;
  const features = await driftOf(active, frozen, options);
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
  const rolledBack = progress.supersedes?.rolledBack ?? [];
  const warnings = [
    ...rolledBackWarnings(plan, rolledBack),
    ...(features?.warnings ?? []),
    ...gates.warnings,
    ...outcomes.warnings,
  ];
  progress.details = {
    ...progress.details,
    rejections: reconciliation.rejections,
    texts: reconciliation.texts,
    mean_score: meanScore(reconciliation.pinned) ?? null,
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
    ...(options.force && rolledBack.length > 0 && { forced: true }),
    ...(plan.bundle.signature.classes && { score_class: scoreClass(definition.score) ?? null }),
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
  const refusals = [...gates.refusals, ...outcomes.refusals];
  const staged = stagedDigest(reconciliation.pinned);
  if (options.accepted) {
    const accepted = acceptanceOf(options.accepted, progress.details, { refusals, staged });
    progress.details = { ...progress.details, accepted };
  } else if (refusals.length > 0) {
    progress.details = { ...progress.details, refused_by: refusals, refused_staged: staged };
    throw await refusal(plan, { runId, frozen, refusals, reconciliation });
  }
  const reasons = await explainHighest(active, frozen, reconciliation.pinned);
  context.console.info(`publishing ${counted(reconciliation.rows.scored, 'score')} as run ${runId}`);
  clock.enter('publish');
  const mine = await plan.sink.publish({
    entry: entryOf(active, 'published', progress.details),
    supersedes: progress.supersedes,
    history: definition.sink.history,
    rolledBack: options.force ? undefined : progress.supersedes?.rolledBack,
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

/**
 * The features' drift. For a refused run whose rows were tapped it is not measured again, because the query may return other
 * rows by now.
 */
async function driftOf({ plan, progress }: ActiveRun, frozen: FrozenTable, { accepted }: PublishOptions) {
  const recorded = progress.details.feature_drift;
  const drift = accepted && frozen.tapped && recorded ? measuredDrift(recorded) : undefined;
  return drift ? { drift, warnings: [] } : await measureDrift(plan, frozen);
}

/** Evaluates earlier windows whose outcomes are known by now. Loaded only for a job with labels. */
async function checkOutcomes(active: ActiveRun) {
  if (active.plan.job.labels === undefined) return { refusals: [], warnings: [] };
  const { evaluateMatured } = await import('./evaluate-matured.ts');
  return await evaluateMatured(active);
}

/** Warns that the cause may persist: scores other than those rolled back may be just as wrong. */
function rolledBackWarnings({ window, entries }: Plan, rolledBack: readonly RolledBack[]): string[] {
  const last = lastPublished(entries)?.details.rollback;
  if (rolledBack.length === 0 || last === undefined) return [];
  const why = last.reason === null ? '' : `, because: ${last.reason}`;
  return [
    `${window.label} was rolled back from publication ${last.from.publication}${why}; this run replaces it, so check that the cause is gone`,
  ];
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
