/** Scores are 0 to 1; a difference is B − A. The form is that of `compare --json`. */
export interface Comparison {
  readonly a: ComparisonSide;
  readonly b: ComparisonSide;
  readonly coverage: Coverage;
  /** Of users in both; null if there are none. */
  readonly differences: Differences | null;
  /** Users in both with the largest differences, the largest first. */
  readonly largest: readonly LargestDifference[];
  /** Of users in both; null if there are fewer than two. */
  readonly ranks: RankAgreement | null;
  /** Of users in both; null if there are none. */
  readonly bands: BandMoves | null;
  /** Users of each side by tenths of the score, 0 to below 0.1 first. */
  readonly histogram: { readonly a: readonly number[]; readonly b: readonly number[] };
  /** Population stability index of the scores of B against those of A, of all users; null if a side has none. */
  readonly psi: number | null;
  /** How well both foretold the outcomes; null if they are not known. */
  readonly outcomes: ComparedOutcomes | null;
  /** What a reader should know, one sentence each. */
  readonly notes: readonly string[];
}

/** What identifies a side. */
export interface SideFacts {
  /** As the user named it: the label of a window, the id of a run, or the folder of a bundle. */
  readonly name: string;
  readonly job: string;
  readonly window: { readonly label: string; readonly start: string; readonly end: string };
  readonly run_id: string;
  /** Null for rows that were scored aside. */
  readonly publication: number | null;
  readonly rows: 'published' | 'replaced' | 'challenger' | 'scored aside';
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
}

export interface ComparisonSide extends SideFacts {
  readonly users: number;
  /** Null without users. */
  readonly mean_score: number | null;
  readonly quantiles: readonly Quantile[];
}

/** The lowest value that at least this share of the users does not exceed. */
export interface Quantile {
  readonly share: number;
  readonly value: number;
}

export interface Coverage {
  readonly both: number;
  readonly only_a: number;
  readonly only_b: number;
  /** Share of the users of A that B has, and of those of B that A has; null without users. */
  readonly of_a: number | null;
  readonly of_b: number | null;
}

export interface Differences {
  readonly users: number;
  readonly mean: number;
  readonly mean_absolute: number;
  readonly max_absolute: number;
  /** Users whose score did not change. */
  readonly equal: number;
  /** Users whom B scores higher, and lower, by more than 0.1. */
  readonly much_higher: number;
  readonly much_lower: number;
  readonly quantiles: readonly Quantile[];
}

interface LargestDifference {
  /** Canonical texts of the key's columns. */
  readonly key: readonly string[];
  readonly score_a: number;
  readonly score_b: number;
  readonly difference: number;
}

interface RankAgreement {
  /** Share of the riskiest tenth that is the same. Users who are tied at its border count in part, alike on both sides. */
  readonly top_decile_overlap: number;
  /** Spearman's correlation, equal scores with their mean rank; null if all scores of a side are equal. */
  readonly spearman: number | null;
}

export interface BandMoves {
  /** From the highest risk down. */
  readonly names: readonly string[];
  /** Users by their bands in A and B; pairs without users are left out. */
  readonly moves: readonly { readonly from: string; readonly to: string; readonly users: number }[];
  /** Share of the users in both whose band differs. */
  readonly moved: number;
}

/** Measures of one side by the outcomes of its users; null if the users do not determine it. */
export interface OutcomeMeasures {
  readonly users: number;
  readonly positives: number;
  readonly auc: number | null;
  readonly auc_low: number | null;
  readonly auc_high: number | null;
  readonly brier: number | null;
  /** Mean difference of score and share of positives over ten bins. */
  readonly calibration_error: number | null;
}

export interface ComparedOutcomes {
  readonly a: OutcomeMeasures;
  readonly b: OutcomeMeasures;
  /** `paired` over the users in both, who are the users of `a` and `b` then; `unpaired` for two windows. */
  readonly by: 'paired' | 'unpaired';
  /** AUC of B − AUC of A with the bounds of its 95 % interval (DeLong). */
  readonly auc_difference: { readonly value: number; readonly low: number; readonly high: number } | null;
}
