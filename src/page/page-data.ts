import type { Bands } from '../domain/bands.ts';
import type { DriftBin, FeatureDrift } from '../domain/feature-drift.ts';
import type { Acceptance, Rollback } from '../domain/run-details.ts';
import type { WindowKind } from '../domain/window.ts';

// The contents of the report page. Plain data, read from the published tables and the ledger. Scores, means and shares are
// between 0 and 1; expected numbers of users are sums of scores.

/** Users and scores of a group. */
export interface Totals {
  readonly users: number;
  /** Sum of the scores: how many users are expected to have the outcome. */
  readonly expected: number;
}

/** One value of a segment in two windows, to distinguish changes of size from changes of risk. */
export interface SegmentChange {
  readonly value: string;
  readonly now: Totals;
  readonly before: Totals;
}

export interface BandCount extends Totals {
  readonly band: string;
}

/** One value of a segment; the segment `all` has all users. */
export interface SegmentBands extends Totals {
  readonly segment: string;
  readonly value: string;
  /** In the order of the bands, highest risk first; bands without users are left out. */
  readonly bands: readonly BandCount[];
}

export interface TrendPoint {
  readonly label: string;
  /** Undefined if nothing is published for the window: a gap. */
  readonly totals: Totals | undefined;
}

export interface DecileOutcome {
  /** 1 is the riskiest tenth. */
  readonly decile: number;
  readonly users: number;
  readonly positives: number;
}

interface CalibrationBin {
  readonly users: number;
  readonly positives: number;
  readonly meanScore: number;
}

/** How the scores of one window compare with the outcomes. */
export interface Evaluated {
  readonly label: string;
  /** Whether the model was trained on this window, which then says nothing about new users. */
  readonly inSample: boolean;
  readonly users: number;
  readonly positives: number;
  /** Undefined if all outcomes are equal. */
  readonly auc: number | undefined;
  /** 95 % interval of the AUC; undefined if there is none. */
  readonly aucInterval: readonly [low: number, high: number] | undefined;
  readonly averagePrecision: number | undefined;
  readonly brier: number;
  readonly meanScore: number;
}

/** The newest window with a known outcome, in detail, and earlier ones. */
export interface OutcomeData {
  readonly newest: Evaluated;
  readonly deciles: readonly DecileOutcome[];
  readonly calibration: readonly CalibrationBin[];
  /** Oldest first, including the newest. */
  readonly series: readonly Evaluated[];
  /** The newest window by whether users were contacted; empty if unknown. */
  readonly groups: readonly { readonly group: 'treated' | 'untreated'; readonly evaluated: Evaluated }[];
}

export interface RiskyUser {
  readonly rank: number;
  /** Values of the key; undefined if the job does not allow keys on the page. */
  readonly key: readonly string[] | undefined;
  readonly score: number;
  readonly band: string;
  readonly reasons: readonly string[];
  /** Whether the user is held out from contact. */
  readonly holdout: boolean;
}

export interface LeftOut {
  /** As in the quarantine table. */
  readonly reason: string;
  readonly column: string;
  readonly rows: number;
}

export interface PageDrift extends Omit<FeatureDrift, 'bins'> {
  /** Limit of the job file. */
  readonly limit: number | undefined;
  /** Only for the three most drifted features. */
  readonly bins: readonly DriftBin[] | undefined;
}

interface RunFacts {
  readonly runId: string;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  /** ISO instants. */
  readonly dataAsOf: string;
  readonly publishedAt: string;
  readonly provider: string;
  /** Per stage. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Bytes that the query read, and their price in USD; undefined if the warehouse does not report them. */
  readonly cost: { readonly bytes: number; readonly usd: number } | undefined;
  /** The page shows the ledger up to this entry. */
  readonly entryNumber: number;
  readonly warnings: readonly string[];
  /** Set if gates refused the run, and somebody accepted it. */
  readonly accepted: Acceptance | undefined;
  /** Set if a rollback published the run again: what it replaced, and why. */
  readonly rollback: Rollback | undefined;
  /** Version of score-batch. */
  readonly version: string;
}

export interface PageData {
  readonly job: {
    readonly name: string;
    readonly description: string | undefined;
    readonly nouns: { readonly one: string; readonly many: string; readonly outcome: string };
    readonly zone: string;
    readonly keyColumns: readonly string[];
    /** Minimum users of a segment; smaller ones are grouped. */
    readonly minCell: number;
  };
  /** `start` and `end` are ISO instants, [start, end). */
  readonly window: { readonly label: string; readonly start: string; readonly end: string; readonly kind: WindowKind };
  readonly totals: Totals;
  /** The latest earlier window of the same kind that is published. */
  readonly before: ({ readonly label: string } & Totals) | undefined;
  /** Mean of up to eight windows before this one; undefined if there is none. */
  readonly average: ({ readonly windows: number } & Totals) | undefined;
  /** By the first segment of the job; undefined without segments or an earlier window. */
  readonly change: { readonly segment: string; readonly values: readonly SegmentChange[] } | undefined;
  /** Bin i holds edges[i-1] <= score < edges[i]. Shares per bin; `reference` is for the training data. */
  readonly distribution: {
    readonly edges: readonly number[];
    readonly now: readonly number[];
    readonly before: readonly number[] | undefined;
    readonly reference: readonly number[] | undefined;
  };
  /** As in the job file, so that the page can explain the bands. */
  readonly bandRules: Bands;
  /** The segment `all` first, then by segment, most users first. */
  readonly bands: readonly SegmentBands[];
  /** Ten tenths by rank; fewer if there are fewer users. */
  readonly deciles: readonly ({ readonly decile: number } & Totals)[];
  /** Share of the variance of the scores that lies between the bands, 0 to 1; undefined if all scores are equal. */
  readonly bandsExplain: number | undefined;
  /** Up to twelve windows, oldest first, this one last. */
  readonly trend: readonly TrendPoint[];
  /** Undefined if no window has a known outcome. */
  readonly outcome: OutcomeData | undefined;
  /** ISO instant from which this window's outcome is known; undefined if the job has no labels. */
  readonly outcomeKnownFrom: string | undefined;
  /** Up to 20. */
  readonly riskiest: readonly RiskyUser[];
  /** How many features a user's reasons name, and how they were found; undefined if the job has no reasons. */
  readonly reasons: { readonly features: number; readonly method: 'shapley' | 'occlusion' } | undefined;
  readonly leftOut: readonly LeftOut[];
  /** Most drifted feature first; undefined if drift was not measured. */
  readonly drift: readonly PageDrift[] | undefined;
  /** Relative links to the index page and to the report file with all users; undefined if it does not exist. */
  readonly links: { readonly index: string | undefined; readonly list: string | undefined };
  readonly run: RunFacts;
}

/** One window on the index page. */
export interface IndexRow extends TrendPoint {
  /** Relative link to the page; undefined if there is none. */
  readonly href: string | undefined;
  /** ISO instant of publication; undefined for a gap. */
  readonly publishedAt: string | undefined;
}

export interface IndexData {
  readonly job: Pick<PageData['job'], 'name' | 'description' | 'nouns' | 'zone'>;
  /** Newest first, gaps included. */
  readonly windows: readonly IndexRow[];
  readonly entryNumber: number;
}
