import { counted, grouped } from './counted.ts';
import type { MeasuredDrift } from './feature-drift.ts';
import { percents } from './percents.ts';
import type { Refusal } from './refusal.ts';

/** One limit for every feature that has a reference, or one per feature. */
type PerFeature = number | Readonly<Record<string, number>>;

/** Limits of the job file; shares between 0 and 1. */
export interface FeatureLimits {
  readonly max_feature_psi?: PerFeature | undefined;
  readonly max_null_share?: PerFeature | undefined;
  readonly psi_min_rows: number;
}

export interface FeatureGates {
  /** Each refusal names its feature. */
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
}

export function limitOf(limits: PerFeature | undefined, feature: string): number | undefined {
  if (typeof limits !== 'object') return limits;
  return Object.hasOwn(limits, feature) ? limits[feature] : undefined;
}

/** Checks the drift of each feature. Pure: figures in, refusals out. @param drift undefined if it was not measured */
export function checkFeatures(drift: MeasuredDrift | undefined, scored: number, limits: FeatureLimits): FeatureGates {
  const { max_feature_psi, max_null_share, psi_min_rows: least } = limits;
  if (max_feature_psi === undefined && max_null_share === undefined) return { refusals: [], warnings: [] };
  if (scored < least) {
    const why = `${counted(scored, 'scored row')}, gates.psi_min_rows is ${grouped(least)}`;
    return { refusals: [], warnings: [`drift check of the features skipped: ${why}`] };
  }
  const refusals = (drift?.features ?? []).flatMap(({ feature, psi, nullShare }) => {
    const [maxPsi, maxNulls] = [limitOf(max_feature_psi, feature), limitOf(max_null_share, feature)];
    const found: Refusal[] = [];
    if (maxNulls !== undefined && nullShare > maxNulls) {
      const [measured, limit] = percents(nullShare, maxNulls);
      const message = `${measured} of the values of ${feature} are null, gates.max_null_share is ${limit}`;
      found.push({ gate: 'max_null_share', message, measured: nullShare, limit: maxNulls, feature });
    }
    if (maxPsi !== undefined && psi > maxPsi) {
      const shown = Number(psi.toFixed(3)) > maxPsi ? psi.toFixed(3) : String(psi);
      const message = `${feature} drifted from the bundle's reference: PSI ${shown}, gates.max_feature_psi is ${maxPsi}`;
      found.push({ gate: 'max_feature_psi', message, measured: psi, limit: maxPsi, feature });
    }
    return found;
  });
  return { refusals, warnings: [] };
}
