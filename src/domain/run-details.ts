import type { Delivery } from './delivery.ts';
import type { Evaluation } from './evaluation.ts';
import type { Execution } from './execution.ts';
import type { ModelChange } from './model-change.ts';
import type { Promotion } from './promotion.ts';
import type { Histogram } from './psi.ts';
import type { ReasonFacts } from './reasons.ts';
import type { RejectionTally } from './reconciliation.ts';
import type { RecordedBasis } from './recorded-basis.ts';
import type { RecordedComparison } from './recorded-comparison.ts';
import type { RecordedDrift } from './recorded-drift.ts';
import type { Refusal } from './refusal.ts';
import type { RegisteredModels } from './registered-model.ts';
import type { Scorer } from './scorer.ts';
import type { ShadowComparison, ShadowSwitch } from './shadow.ts';
import type { SliceDetails, SliceOutcome } from './slice.ts';
import type { StageSeconds } from './stages.ts';
import type { TableName } from './table-name.ts';
import type { TableColumn } from './tables.ts';
import type { TextCounts } from './text-counts.ts';
import type { WorkerTime } from './worker-time.ts';

/** Another run, and its window, referred to by an entry. */
export interface SupersededWindow {
  readonly run_id: string;
  readonly label: string;
  readonly start: string;
  readonly end: string;
}

/** Why an earlier publication of a run is current again. */
export interface Rollback {
  /** The restored publication of the run. */
  readonly publication: number;
  /** The publication that was current before. */
  readonly from: { readonly run_id: string; readonly publication: number };
  readonly reason: string | null;
  /** User of the warehouse's session. */
  readonly user: string | null;
  /** Content of the previously current publication: no run may publish it again without force. */
  readonly content?: string;
}

/** Gates that somebody overruled after a look. */
export interface Acceptance {
  /** Names of the gates, as in `gates` of the job file. */
  readonly gates: readonly string[];
  readonly reason: string;
  /** User of the warehouse's session. */
  readonly user: string | null;
  readonly at: string;
}

/** Record of an erasure, without the person's key. */
interface Erasure {
  readonly reason: string;
  /** User of the warehouse's session. */
  readonly user: string | null;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Rows removed from those that runs had read and kept. */
  readonly kept_rows: number;
}

/** Further facts about a run, stored as JSON. Each entry adds its new facts. */
export interface RunDetails {
  /** Run that was published for the window when this one started; null if there was none. */
  readonly supersedes?: string | null;
  /**
   * The number of that publication; null if there was none. A rollback can publish a run again, so its id does not identify a
   * publication.
   */
  readonly supersedes_publication?: number | null;
  /** Set if the publication is a rollback: what it replaced, and which publication of this run it made current again. */
  readonly rollback?: Rollback;
  /** Whether it was published with force although it may have been rolled back before. */
  readonly forced?: boolean;
  /** Number of the replaced publication if it has the same content. */
  readonly repeats?: number;
  /** Gates that refused the run, and who accepted it. */
  readonly accepted?: Acceptance;
  /** Set if gates refused the run: each with its number and limit. */
  readonly refused_by?: readonly Refusal[];
  /** Digest of what was staged when gates refused the run; see `stagedDigest`. */
  readonly refused_staged?: string;
  /** If `state` is `erased`. */
  readonly erasure?: Erasure;
  /** Id of the last erasure that the entry's row counts include; counts in entries of other processes may be older. */
  readonly erased?: string;
  /**
   * Folder of the challenger's bundle, if the job has one: until the run is completed, the challenger needs the frozen rows.
   */
  readonly challenger?: string;
  /** In a challenger's run: how its scores compare with the champion's. */
  readonly comparison?: RecordedComparison;
  /** In a run that is a slice: what it reads. */
  readonly slice?: SliceDetails;
  /** In a published slice: its outcome. */
  readonly slice_outcome?: SliceOutcome;
  /** If `state` is `compared`. */
  readonly shadow?: ShadowComparison;
  /** If `state` is `switched`. */
  readonly switch?: ShadowSwitch;
  /** In an entry about a message. */
  readonly delivery?: Delivery;
  /** If `state` is `promoting` or follows from it. */
  readonly promotion?: Promotion;
  /** Versions of registered models that the run scores with: it keeps them even if an alias moves. */
  readonly registered?: RegisteredModels;
  readonly sql?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly versions?: Readonly<Record<string, string>>;
  /** What the run was made from; absent in entries of older versions. */
  readonly basis?: RecordedBasis;
  /** Identity of the source database, see `Source.identity`. */
  readonly source?: string;
  /** The run whose kept rows were scored, and the identity of its frozen table; absent if the run read the source. */
  readonly as_of?: { readonly run_id: string; readonly frozen: string };
  /** Identity of the frozen table whose rows were published. */
  readonly frozen?: string;
  /** The scorer of every published row. */
  readonly scorer?: Scorer;
  /** Time zone of the job file, which the window was computed in. */
  readonly time_zone?: string;
  readonly chunks?: number;
  /** Chunks that were staged before this process started. */
  readonly chunks_resumed?: number;
  /** Chunks per execution provider. */
  readonly providers?: Readonly<Record<string, number>>;
  /** Where the model ran. If several processes scored, this is one of theirs; each summary has its own. */
  readonly execution?: Execution;
  /** Rows per batch that fit the device's memory, if the batches had to be halved. */
  readonly batch_rows_halved_to?: number;
  readonly rejections?: readonly RejectionTally[];
  /** How many values of each text feature are not among its categories. */
  readonly texts?: TextCounts;
  /** Mean of the published scores; null if none was scored. Absent in entries of versions that did not record it. */
  readonly mean_score?: number | null;
  /** Drift of the scores from the bundle's reference; null if it was not measured. */
  readonly score_psi?: number | null;
  /** Drift of the scores from those of the previous window, by the same model; null if it was not measured. */
  readonly score_psi_previous?: number | null;
  /** Scores of the training data: the bundle's reference. */
  readonly score_reference?: Histogram;
  /** How the reasons of the highest scores were found. */
  readonly reasons?: ReasonFacts;
  /** Bytes that the query was expected to read; absent if the source cannot estimate them. */
  readonly estimated_bytes?: number;
  /** Drift of the features from the bundle's reference, if it was measured. */
  readonly feature_drift?: RecordedDrift;
  /** The model of the previous publication, if it differs from this run's model. */
  readonly model_changed?: ModelChange | null;
  /** Tables that the publication wrote in addition to scores and quarantine. */
  readonly also_wrote?: readonly ('report' | 'summary' | 'drift')[];
  /** Overlapping publications that this one superseded. */
  readonly supersedes_windows?: readonly SupersededWindow[];
  /** If `state` is `superseded`: the run whose publication superseded this one, and its window. */
  readonly superseded_by?: SupersededWindow;
  /** What the bundle says that its model was trained through: an ISO week or date. */
  readonly trained_through?: string;
  /** How well the published scores predicted the outcomes; the newest evaluation. */
  readonly evaluation?: Evaluation;
  readonly warnings?: readonly string[];
  /** The class whose probability is the score, null for the predicted one; absent if the bundle has no classes. */
  readonly score_class?: string | null;
  /** Scores table by the parts of its name. */
  readonly table?: TableName;
  /** Columns of the published scores table, for reports written later. */
  readonly columns?: readonly TableColumn[];
  readonly seconds?: StageSeconds;
  /** Where the chunk workers spent the stage `score`. */
  readonly workers?: WorkerTime;
  /**
   * Paths of the report files that the publication should have; relative to the project root if inside it. A single string in
   * entries of versions that wrote one file.
   */
  readonly report?: string | readonly string[];
  /** Paths of the written files, on the machine that wrote them. */
  readonly files?: readonly string[];
  readonly error?: string;
}
