import { measureAuc } from './auc.ts';
import { averagePrecision } from './average-precision.ts';
import { type Bin, brierScore, calibrationBins, calibrationError, meanScore } from './calibration.ts';
import { type OutcomeCounts, type Totals, totalsOf } from './counts.ts';

/**
 * How well the scores of a group of users predicted their outcomes. A measure is undefined if the users do not determine it.
 */
export interface Measures extends Totals {
  readonly meanScore: number | undefined;
  readonly auc: number | undefined;
  /** 95 % interval of the AUC. */
  readonly aucLow: number | undefined;
  readonly aucHigh: number | undefined;
  readonly averagePrecision: number | undefined;
  readonly brier: number | undefined;
  readonly calibrationError: number | undefined;
  readonly calibration: readonly Bin[];
}

export function measure(counts: OutcomeCounts): Measures {
  const auc = measureAuc(counts);
  const calibration = calibrationBins(counts);
  return {
    ...totalsOf(counts),
    meanScore: meanScore(counts),
    auc: auc?.auc,
    aucLow: auc?.interval?.[0],
    aucHigh: auc?.interval?.[1],
    averagePrecision: averagePrecision(counts),
    brier: brierScore(counts),
    calibrationError: calibrationError(calibration),
    calibration,
  };
}
