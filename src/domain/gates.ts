import { counted, grouped } from './counted.ts';
import type { ScoreCounts } from './held.ts';
import { type Histogram, histogramOf, populationStabilityIndex } from './psi.ts';
import type { Reconciliation } from './reconciliation.ts';
import type { RunRows } from './rows.ts';
import { neverSeen } from './text-counts.ts';

/** Limits of the job file; shares between 0 and 1. */
interface GateLimits {
  readonly min_rows: number;
  readonly max_drop?: number | undefined;
  readonly max_quarantine_rate: number;
  readonly max_score_psi?: number | undefined;
  readonly psi_min_rows: number;
}

export interface GateContext {
  readonly limits: GateLimits;
  readonly refuseDuplicates: boolean;
  /** Rows of the publication that would be replaced. */
  readonly superseded: RunRows | undefined;
  /** Rows published for the window before, of the same kind. */
  readonly previous: RunRows | undefined;
  readonly reference: Histogram | undefined;
  /** Scores of the window before, of the same model and in the bins of `scoreCounts`. */
  readonly before?: (ScoreCounts & { readonly label: string }) | undefined;
  readonly allowEmpty: boolean;
}

export interface GateResult {
  /** Why nothing may be published; empty where all gates are open. */
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  /** Drift of the scores, where it was measured. */
  readonly scorePsi: number | undefined;
  /** Drift of the scores from those of the window before, where it was measured. */
  readonly scorePsiBefore?: number | undefined;
  /** From what the scores drifted too far. */
  readonly driftedFrom?: readonly ('reference' | 'before')[];
}

/** What the job file allows to be published. Pure: counts in, sentences out. */
export function applyGates({ rows, rejections, scoreCounts, texts }: Reconciliation, context: GateContext): GateResult {
  const psi = measurePsi(scoreCounts, rows.scored, context);
  if (rows.frozen === 0) return { ...emptyWindow(context), ...psi };
  const { limits, refuseDuplicates } = context;
  // First, since it explains what else is refused. No setting opens this gate: model.yaml says which texts are known.
  const refusals: string[] = neverSeen(texts).map(({ message }) => message);
  const rate = rows.quarantined / rows.frozen;
  const duplicates = rejections.filter(({ reason }) => reason === 'duplicate key').reduce((sum, tally) => sum + tally.rows, 0);
  const base = context.superseded ?? context.previous;
  const drop = base && base.frozen > 0 ? (base.frozen - rows.frozen) / base.frozen : 0;
  if (rows.frozen < limits.min_rows)
    refusals.push(`the window has ${counted(rows.frozen, 'row')}, gates.min_rows is ${grouped(limits.min_rows)}`);
  if (refuseDuplicates && duplicates > 0)
    refusals.push(
      `${counted(duplicates, 'row shares its key', 'rows share their key')} with another, and source.duplicates is refuse`,
    );
  if (rows.scored === 0) refusals.push('every row was quarantined');
  else if (rate > limits.max_quarantine_rate) {
    const [measured, limit] = percents(rate, limits.max_quarantine_rate);
    refusals.push(`${measured} of the rows were quarantined, gates.max_quarantine_rate is ${limit}`);
  }
  if (limits.max_drop !== undefined && drop > limits.max_drop) {
    const where = context.superseded ? 'the publication it would replace' : 'the window before';
    const [measured, limit] = percents(drop, limits.max_drop);
    refusals.push(`the window has ${counted(rows.frozen, 'row')}, ${measured} fewer than ${where}; gates.max_drop is ${limit}`);
  }
  const drift = judgeDrift(psi, rows.scored, context);
  return { refusals: [...refusals, ...drift.refusals], warnings: drift.warnings, ...psi, driftedFrom: drift.from };
}

type Psi = Pick<GateResult, 'scorePsi' | 'scorePsiBefore'>;

/** One limit for both: the scores of the training data, and those of the window before. */
function judgeDrift({ scorePsi, scorePsiBefore }: Psi, scored: number, { limits, before }: GateContext) {
  const { max_score_psi: limit, psi_min_rows: least } = limits;
  if (limit === undefined) return { refusals: [], warnings: [], from: [] };
  const far = (psi: number | undefined) => psi !== undefined && psi > limit;
  const refuse = (psi = 0, what: string) =>
    `the scores drifted from ${what}: PSI ${psi.toFixed(3)}, gates.max_score_psi is ${limit}`;
  const compared = before?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  return {
    refusals: [
      ...(far(scorePsi) ? [refuse(scorePsi, "the bundle's reference")] : []),
      ...(far(scorePsiBefore) ? [refuse(scorePsiBefore, `those of ${before?.label}, of the same model`)] : []),
    ],
    warnings: [
      ...(scorePsi === undefined
        ? [`drift was not judged: ${counted(scored, 'scored row')}, gates.psi_min_rows is ${grouped(least)}`]
        : []),
      ...(scorePsi !== undefined && before && scorePsiBefore === undefined
        ? [
            `drift from ${before.label} was not judged: it has ${counted(compared, 'score')}, gates.psi_min_rows is ${grouped(least)}`,
          ]
        : []),
    ],
    from: [...(far(scorePsi) ? (['reference'] as const) : []), ...(far(scorePsiBefore) ? (['before'] as const) : [])],
  };
}

function emptyWindow({ limits, superseded, allowEmpty }: GateContext): Pick<GateResult, 'refusals' | 'warnings'> {
  const full = superseded !== undefined && superseded.frozen > 0;
  if (allowEmpty || (limits.min_rows === 0 && !full))
    return { refusals: [], warnings: ['the window has no rows; it is published empty'] };
  const why = full
    ? `the window has no rows now and ${grouped(superseded.frozen)} ${superseded.frozen === 1 ? 'is' : 'are'} published`
    : 'the window has no rows';
  return { refusals: [why], warnings: [] };
}

function measurePsi(counts: readonly number[] | undefined, scored: number, { reference, before, limits }: GateContext): Psi {
  if (counts === undefined || scored < limits.psi_min_rows) return { scorePsi: undefined };
  const compared = before?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  return {
    scorePsi: reference && populationStabilityIndex(counts, reference),
    ...(before && compared >= limits.psi_min_rows && { scorePsiBefore: populationStabilityIndex(counts, histogramOf(before)) }),
  };
}

/** A share and its limit with three digits, or with as many as it takes to tell them apart. */
function percents(measured: number, limit: number): [measured: string, limit: string] {
  const shown = (share: number, digits: number) => `${Number((share * 100).toPrecision(digits))} %`;
  for (let digits = 3; digits < 15; digits += 1) {
    if (shown(measured, digits) !== shown(limit, digits)) return [shown(measured, digits), shown(limit, digits)];
  }
  return [`${measured * 100} %`, `${limit * 100} %`];
}
