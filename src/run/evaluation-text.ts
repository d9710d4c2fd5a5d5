import type { Evaluation } from '../domain/evaluation.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import type { TableLayout } from '../domain/tables.ts';
import type { EvaluationRow } from '../evaluation/rows.ts';

const DECIMALS = 9;

/** A row of the evaluation table, one string per column. */
export function evaluationText(
  { columns }: TableLayout,
  row: EvaluationRow,
  { entry, evaluation }: { readonly entry: LedgerEntry; readonly evaluation: Evaluation },
): (string | null)[] {
  const { measures, gain } = row;
  const { in_sample: inSample } = evaluation;
  const values: Readonly<Record<string, string | number | null | undefined>> = {
    segment: row.segment,
    segment_value: row.segmentValue,
    contact_group: row.contact,
    part: row.part,
    bin: String(row.bin),
    users: String(row.users),
    positives: String(row.positives),
    mean_score: row.meanScore,
    auc: measures?.auc,
    auc_low: measures?.aucLow,
    auc_high: measures?.aucHigh,
    average_precision: measures?.averagePrecision,
    brier: measures?.brier,
    calibration_error: row.calibrationError,
    lift: gain?.lift,
    capture: gain?.capture,
    in_sample: inSample === null ? null : String(inSample),
    evaluated_at: evaluation.evaluated_at,
    job: entry.job,
    window_label: entry.window.label,
    window_start: entry.window.start,
    window_end: entry.window.end,
    run_id: entry.runId,
  };
  return columns.map(({ name }) => {
    if (!(name in values)) throw new Error(`no value for ${name}`);
    const value = values[name] ?? null;
    return typeof value === 'number' ? value.toFixed(DECIMALS) : value;
  });
}
