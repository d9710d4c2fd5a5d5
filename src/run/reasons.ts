import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Reasons } from '../domain/reasons.ts';
import type { AttemptTally } from '../domain/reconciliation.ts';
import { readFeatureRows } from '../explain/feature-rows.ts';
import type { SelectText } from '../warehouse/reader.ts';
import type { ActiveRun } from './progress.ts';

/**
 * Finds the reasons of the highest scores, if the job asks for them. These users' features are read again, because which users
 * have the highest scores is only known now.
 *
 * @param pinned attempts to be published
 */
export async function explainHighest(
  { plan, progress, context }: ActiveRun,
  frozen: FrozenTable,
  pinned: readonly AttemptTally[],
): Promise<Reasons | undefined> {
  const { bundle, baseline, source, sink, key, features, requireGpu, execution } = plan;
  const { reasons, providers: preferred } = plan.job.definition.score;
  if (reasons === undefined || baseline === undefined) return undefined;
  progress.clock.enter('explain');
  const began = performance.now();
  const top = await sink.topRows({ runId: progress.runId, key, pinned, rows: reasons.top });
  if (top.length === 0) return { features: reasons.features, rows: [] };
  context.console.info(`explaining ${counted(top.length, 'score')}`);
  const select = (statement: SelectText) =>
    frozen.tapped ? source.select(plan.query, statement) : source.selectFrozen(frozen, statement);
  const found = await readFeatureRows(
    select,
    { key, features },
    top.map(({ keyHash }) => keyHash),
  );
  // Another provider's scores may differ in the last digits, and look like scores of other features.
  const providers = execution?.devices.slice(0, 1) ?? preferred;
  const { explainUsers } = await import('../explain/explain-users.ts');
  const { rows, ...facts } = await explainUsers(
    top.map(({ keyHash, millionths, featureHash }) => ({ texts: found.get(keyHash), millionths, featureHash })),
    { bundle, baseline, columns: features, features: reasons.features, providers, requireGpu },
  );
  const changed = `${counted(facts.changed, 'user has', 'users have')} no reasons: their features have changed since they were scored`;
  const warnings = facts.changed > 0 ? [changed] : [];
  for (const warning of warnings) context.console.warn(warning);
  const seconds = Math.round(performance.now() - began) / 1000;
  progress.details = {
    ...progress.details,
    reasons: { features: reasons.features, baseline: baseline.digest, seconds, ...facts },
    warnings: [...(progress.details.warnings ?? []), ...warnings],
    seconds: progress.clock.seconds,
  };
  return { features: reasons.features, rows };
}
