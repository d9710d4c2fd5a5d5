import { featuresOf } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import { didYouMean } from '../suggest.ts';
import type { CountedFeature } from '../warehouse/sql/feature-counts.ts';
import type { ChosenColumns } from './columns.ts';

/** Features whose drift is measured. */
export interface DriftPlan {
  /** In the model's order. */
  readonly features: readonly CountedFeature[];
  /** Features without a reference in the bundle. */
  readonly unmeasured: readonly string[];
}

/** @returns undefined if the job does not ask for feature drift, or the bundle has no reference for any feature */
export function planDrift(
  definition: JobDefinition,
  bundle: Bundle,
  { features: columns }: Pick<ChosenColumns, 'features'>,
  reported: boolean,
): DriftPlan | undefined {
  const { gates, report } = definition;
  const isGated = gates.max_feature_psi !== undefined || gates.max_null_share !== undefined;
  const isShown = reported && (report.drift_table !== undefined || report.page !== undefined);
  const references = referencesOf(bundle);
  if ((!isGated && !isShown) || references.size === 0) return undefined;
  const names = featuresOf(bundle.signature).map(({ feature }) => feature.name);
  const features = names.flatMap((feature, i) => {
    const [reference, column] = [references.get(feature), columns[i]];
    return reference === undefined || column === undefined ? [] : [{ feature, column, reference }];
  });
  return { features, unmeasured: names.filter((name) => !references.has(name)) };
}

/**
 * @throws ScoreBatchError `configuration` if the job asks for feature drift and the bundle has no reference at all, or a limit
 * names a feature without one
 */
export function refuseUnmeasured({ definition: { gates, report } }: Job, bundle: Bundle): void {
  const references = referencesOf(bundle);
  const limits = { 'gates.max_feature_psi': gates.max_feature_psi, 'gates.max_null_share': gates.max_null_share };
  const asked = [...Object.entries(limits), ['report.drift_table', report.drift_table] as const];
  const [first] = asked.flatMap(([key, value]) => (value === undefined ? [] : key));
  if (first !== undefined && references.size === 0) {
    throw new ScoreBatchError(
      'configuration',
      `${first} is set, but the bundle ${bundle.folder} has no reference for its features to compare with`,
      {
        hint: 'add reference.features to model.yaml (`score-batch model reference` creates it from the training rows), or remove the key',
      },
    );
  }
  const names = featuresOf(bundle.signature).map(({ feature }) => feature.name);
  for (const [key, limit] of Object.entries(limits)) {
    const unknown = typeof limit === 'object' ? Object.keys(limit).find((name) => !references.has(name)) : undefined;
    if (unknown === undefined) continue;
    const isFeature = names.includes(unknown);
    throw new ScoreBatchError(
      'configuration',
      isFeature
        ? `${key} limits ${unknown}, but the bundle ${bundle.folder} has no reference for it`
        : `${key} limits ${unknown}, which is not a feature of the model`,
      { hint: isFeature ? `add ${unknown} to reference.features in model.yaml` : didYouMean(unknown, [...references.keys()]) },
    );
  }
}

function referencesOf({ definition }: Bundle): ReadonlyMap<string, CountedFeature['reference']> {
  return new Map(Object.entries(definition.reference?.features ?? {}));
}
