// The record of an evaluation in a ledger entry. The evaluation table has the same measures for segments, deciles and
// calibration bins.

/** Measures of a group of users; null if the users do not determine one. */
export interface EvaluatedGroup {
  readonly users: number;
  /** Users whose outcome came true. */
  readonly positives: number;
  readonly mean_score: number | null;
  readonly auc: number | null;
  /** 95 % interval of the AUC. */
  readonly auc_low: number | null;
  readonly auc_high: number | null;
  readonly average_precision: number | null;
  readonly brier: number | null;
  readonly calibration_error: number | null;
}

/** How well the scores of a publication predicted the outcomes. The measures cover all users with a known outcome. */
export interface Evaluation extends EvaluatedGroup {
  readonly evaluated_at: string;
  /** End of the time in which outcomes counted; ISO instant. */
  readonly label_end: string;
  /** Users of the publication. */
  readonly published: number;
  /** Published users without a known outcome; `labels.missing` decides how they count. */
  readonly missing: number;
  readonly missing_as: 'exclude' | 'negative';
  /** Rows returned by the query of labels. */
  readonly labels: number;
  /** Rows that belong to no published user. */
  readonly unmatched: number;
  /** Whether the model was trained on this window; null if its bundle does not say. */
  readonly in_sample: boolean | null;
  /** Users who were contacted, and users who were not; null if unknown. */
  readonly treated: EvaluatedGroup | null;
  readonly untreated: EvaluatedGroup | null;
  /** The evaluation table by the parts of its name. */
  readonly table: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * The group whose measures are reliable. Contacting users changes their outcomes, so if it is known who was contacted, it is
 * those who were not, provided that they determine an AUC.
 */
export function believedGroup(evaluation: Evaluation): { readonly name: 'all' | 'untreated'; readonly group: EvaluatedGroup } {
  const { untreated } = evaluation;
  return untreated !== null && untreated.auc_low !== null
    ? { name: 'untreated', group: untreated }
    : { name: 'all', group: evaluation };
}

/** `AUC 0.568 (95 % interval 0.537 to 0.599)` */
export function showAuc({ auc, auc_low: low, auc_high: high }: EvaluatedGroup): string {
  if (auc === null) return 'no AUC, since all outcomes are the same';
  if (low === null || high === null) return `AUC ${auc.toFixed(3)} (no interval)`;
  return `AUC ${auc.toFixed(3)} (95 % interval ${low.toFixed(3)} to ${high.toFixed(3)})`;
}
