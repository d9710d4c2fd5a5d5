import { counted, grouped } from './counted.ts';
import type { MeasuredDrift } from './feature-drift.ts';
import { checkFeatures, type FeatureLimits } from './feature-gates.ts';
import type { ScoreCounts } from './held.ts';
import { percents } from './percents.ts';
import { type Histogram, histogramOf, populationStabilityIndex } from './psi.ts';
import type { Reconciliation } from './reconciliation.ts';
import type { Refusal } from './refusal.ts';
import type { RunRows } from './rows.ts';
import { neverSeen } from './text-counts.ts';

/** Limits of the job file; shares between 0 and 1. */
interface GateLimits extends FeatureLimits {
  readonly min_rows: number;
  readonly max_drop?: number | undefined;
  readonly max_quarantine_rate: number;
  readonly max_score_psi?: number | undefined;
  readonly psi_min_rows: number;
}

export interface GateContext {
  readonly limits: GateLimits;
  readonly refuseDuplicates: boolean;
  /** Rows of the publication that this one would supersede. */
  readonly superseded: RunRows | undefined;
  /** Rows published for the previous window of the same kind. */
  readonly previous: RunRows | undefined;
  readonly reference: Histogram | undefined;
  /** Scores of the previous window, by the same model and in the bins of `scoreCounts`. */
  readonly before?: (ScoreCounts & { readonly label: string }) | undefined;
  /** Drift of the features; undefined if it was not measured. */
  readonly featureDrift?: MeasuredDrift | undefined;
  readonly allowEmpty: boolean;
}

export interface GateResult {
  /** Why nothing may be published; empty if every gate passed. */
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
  /** Drift of the scores from the bundle's reference; undefined if it was not measured. */
  readonly scorePsi: number | undefined;
  /** Drift of the scores from those of the previous window; undefined if it was not measured. */
  readonly scorePsiBefore?: number | undefined;
}

/** Checks the counts against the limits of the job file. Pure: counts in, refusals out. */
export function applyGates(
  { rows, rejections, scoreCounts, texts }: Omit<Reconciliation, 'unchanged'>,
  context: GateContext,
): GateResult {
  const psi = measurePsi(scoreCounts, rows.scored, context);
  if (rows.frozen === 0) return { ...emptyWindow(context), ...psi };
  const { limits, refuseDuplicates } = context;
  // First, since it explains the refusals that follow. No setting turns this gate off: model.yaml lists the known strings.
  const refusals: Refusal[] = neverSeen(texts).map(({ feature, message, share, limit }) => ({
    gate: 'never_seen',
    ...{ message, measured: share, limit, feature },
  }));
  const rate = rows.quarantined / rows.frozen;
  const duplicates = rejections.filter(({ reason }) => reason === 'duplicate key').reduce((sum, tally) => sum + tally.rows, 0);
  const base = context.superseded ?? context.previous;
  const drop = base && base.frozen > 0 ? (base.frozen - rows.frozen) / base.frozen : 0;
  if (rows.frozen < limits.min_rows)
    refusals.push({
      gate: 'min_rows',
      message: `the window has ${counted(rows.frozen, 'row')}, gates.min_rows is ${grouped(limits.min_rows)}`,
      ...{ measured: rows.frozen, limit: limits.min_rows },
    });
  if (refuseDuplicates && duplicates > 0)
    refusals.push({
      gate: 'duplicates',
      message: `${counted(duplicates, 'row shares its key', 'rows share their key')} with another, and source.duplicates is refuse`,
      ...{ measured: duplicates, limit: 0 },
    });
  if (rows.scored === 0)
    refusals.push({
      gate: 'all_quarantined',
      message: `every row was quarantined: 0 of ${grouped(rows.frozen)} could be scored`,
      ...{ measured: 0, limit: 1 },
    });
  else if (rate > limits.max_quarantine_rate) {
    const [measured, limit] = percents(rate, limits.max_quarantine_rate);
    refusals.push({
      gate: 'max_quarantine_rate',
      message: `${measured} of the rows were quarantined, gates.max_quarantine_rate is ${limit}`,
      ...{ measured: rate, limit: limits.max_quarantine_rate },
    });
  }
  if (limits.max_drop !== undefined && drop > limits.max_drop) {
    const where = context.superseded ? 'the publication it would supersede' : 'the previous window';
    const [measured, limit] = percents(drop, limits.max_drop);
    refusals.push({
      gate: 'max_drop',
      message: `the window has ${counted(rows.frozen, 'row')}, ${measured} fewer than ${where}; gates.max_drop is ${limit}`,
      ...{ measured: drop, limit: limits.max_drop },
    });
  }
  const drift = checkDrift(psi, rows.scored, context);
  const features = checkFeatures(context.featureDrift, rows.scored, limits);
  return {
    refusals: [...refusals, ...drift.refusals, ...features.refusals],
    warnings: [...drift.warnings, ...features.warnings],
    ...psi,
  };
}

type Psi = Pick<GateResult, 'scorePsi' | 'scorePsiBefore'>;

/** One limit for both baselines: the scores of the training data and those of the previous window. */
function checkDrift({ scorePsi, scorePsiBefore }: Psi, scored: number, { limits, before }: GateContext) {
  const { max_score_psi: limit, psi_min_rows: least } = limits;
  if (limit === undefined) return { refusals: [], warnings: [] };
  const refuse = (psi: number | undefined, what: string, baseline: Refusal['baseline'] & string): Refusal[] => {
    if (psi === undefined || psi <= limit) return [];
    const message = `the scores drifted from ${what}: PSI ${psi.toFixed(3)}, gates.max_score_psi is ${limit}`;
    return [{ gate: 'max_score_psi', message, measured: psi, limit, baseline }];
  };
  const compared = before?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  return {
    refusals: [
      ...refuse(scorePsi, "the bundle's reference", 'reference'),
      ...refuse(scorePsiBefore, `those of ${before?.label}, of the same model`, 'previous'),
    ],
    warnings: [
      ...(scorePsi === undefined
        ? [`drift check skipped: ${counted(scored, 'scored row')}, gates.psi_min_rows is ${grouped(least)}`]
        : []),
      ...(scorePsi !== undefined && before && scorePsiBefore === undefined
        ? [
            `drift check against ${before.label} skipped: it has ${counted(compared, 'score')}, gates.psi_min_rows is ${grouped(least)}`,
          ]
        : []),
    ],
  };
}

function emptyWindow({ limits, superseded, allowEmpty }: GateContext): Pick<GateResult, 'refusals' | 'warnings'> {
  const full = superseded !== undefined && superseded.frozen > 0;
  if (allowEmpty || (limits.min_rows === 0 && !full))
    return { refusals: [], warnings: ['the window has no rows; it is published empty'] };
  const message = full
    ? `the window has no rows now and ${grouped(superseded.frozen)} ${superseded.frozen === 1 ? 'is' : 'are'} published`
    : 'the window has no rows';
  return { refusals: [{ gate: 'empty', message, measured: 0, limit: 1 }], warnings: [] };
}

function measurePsi(counts: readonly number[] | undefined, scored: number, { reference, before, limits }: GateContext): Psi {
  if (counts === undefined || scored < limits.psi_min_rows) return { scorePsi: undefined };
  const compared = before?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  return {
    scorePsi: reference && populationStabilityIndex(counts, reference),
    ...(before && compared >= limits.psi_min_rows && { scorePsiBefore: populationStabilityIndex(counts, histogramOf(before)) }),
  };
}
