import type { DriftBin, FeatureDrift, MeasuredDrift } from './feature-drift.ts';

/** The drift of a feature, as recorded in ledger and summary. */
export interface RecordedFeature {
  readonly feature: string;
  readonly psi: number;
  readonly null_share: number;
  readonly reference_null_share: number;
  /** Only for the features that drifted most; see `WITH_BINS`. */
  readonly bins?: readonly DriftBin[];
}

/** The drift of the features, as recorded in the ledger. */
export interface RecordedDrift {
  /** Rows that were counted, those in quarantine included. */
  readonly rows: number;
  /** Number of features measured. */
  readonly measured: number;
  /** Most drifted feature first; see `MAX_RECORDED`. */
  readonly features: readonly RecordedFeature[];
}

/** Limits the features of a ledger entry, which every command reads. */
const MAX_RECORDED = 200;
const WITH_BINS = 3;

export function recordedDrift({ rows, features }: MeasuredDrift): RecordedDrift {
  const recorded = features.slice(0, MAX_RECORDED).map((feature, i) => recordedFeature(feature, i < WITH_BINS));
  return { rows, measured: features.length, features: recorded };
}

function recordedFeature(
  { feature, psi, nullShare, referenceNullShare, bins }: FeatureDrift,
  withBins: boolean,
): RecordedFeature {
  return { feature, psi, null_share: nullShare, reference_null_share: referenceNullShare, ...(withBins && { bins }) };
}

/** The recorded drift, with bins for features that have them; undefined if not all features were recorded. */
export function measuredDrift({ rows, measured, features }: RecordedDrift): MeasuredDrift | undefined {
  if (features.length < measured) return undefined;
  return {
    rows,
    features: features.map(({ feature, psi, null_share, reference_null_share, bins = [] }) => ({
      ...{ feature, psi, nullShare: null_share, referenceNullShare: reference_null_share, bins },
    })),
  };
}

/** The features that drifted most, for people. */
export function worstFeatures(drift: RecordedDrift | undefined): RecordedFeature[] {
  return (drift?.features ?? []).slice(0, WITH_BINS).map(({ bins: _, ...feature }) => feature);
}
