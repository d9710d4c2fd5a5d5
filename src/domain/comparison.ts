/** Scores are 0 to 1; a difference is B − A. This is the output format of `compare --json`. */
export interface Comparison {
  readonly a: ComparisonSide;
  readonly b: ComparisonSide;
  readonly coverage: Coverage;
  /** For users in both; null if there are none. */
  readonly differences: Differences | null;
  /** Users in both with the largest differences, largest first. */
  readonly largest: readonly LargestDifference[];
  /** For users in both; null if there are fewer than two. */
  readonly ranks: RankAgreement | null;
  /** For users in both; null if there are none. */
  readonly bands: BandMoves | null;
  /** Users of each side by tenths of the score, starting with 0 to below 0.1. */
  readonly histogram: { readonly a: readonly number[]; readonly b: readonly number[] };
  /** Population stability index of the scores of B against those of A, for all users; null if a side has none. */
  readonly psi: number | null;
  /** How well both predicted the outcomes; null if they are not known. */
  readonly outcomes: ComparedOutcomes | null;
  /** What readers should know, one sentence each. */
  readonly notes: readonly string[];
}

/** What identifies a side. */
export interface SideFacts {
  /** As the user gave it: a window's label, a run's id, or a bundle's folder. */
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
  /** Share of A's users that are in B, and of B's that are in A; null without users. */
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
  /** Users whom B scores higher, or lower, by more than 0.1. */
  readonly much_higher: number;
  readonly much_lower: number;
  readonly quantiles: readonly Quantile[];
}

interface LargestDifference {
  /** Canonical strings of the key's columns. */
  readonly key: readonly string[];
  readonly score_a: number;
  readonly score_b: number;
  readonly difference: number;
}

interface RankAgreement {
  /**
   * Share of the riskiest tenth that both sides have in common. Users tied at its border count in part, the same on both sides.
   */
  readonly top_decile_overlap: number;
  /** Spearman's correlation, with mean ranks for ties; null if all scores of a side are equal. */
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
  /** `paired`: for the users in both, who are then the users of `a` and `b`; `unpaired`: for two windows. */
  readonly by: 'paired' | 'unpaired';
  /** AUC of B − AUC of A with the bounds of its 95 % interval (DeLong). */
  readonly auc_difference: { readonly value: number; readonly low: number; readonly high: number } | null;
}
