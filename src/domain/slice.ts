// A slice scores the users that changed since the slice before it, or all of them, and puts them into the current table. In the
// ledger the slices of a job are the publications of one window of a job of its own: the publication number is the position
// of the rows that a slice wrote, and the publish lock lets one slice at a time follow another.

const SUFFIX = '.incremental';

/** The name under which the ledger holds the slices of a job. No job file can have such a name: it has a dot. */
export function incrementalJob(job: string): string {
  return `${job}${SUFFIX}`;
}

export function isSliceJob(job: string): boolean {
  return job.endsWith(SUFFIX);
}

/** The job itself, given its name or that of its slices. */
export function batchJob(job: string): string {
  return isSliceJob(job) ? job.slice(0, -SUFFIX.length) : job;
}

/**
 * `snapshot`: all users, because there is no position yet or it was asked for. `changes`: users that changed. `full`: all
 * users once more, for `refresh: day` or `reconcile: day`.
 */
export const SLICE_KINDS = ['snapshot', 'changes', 'full'] as const;
export type SliceKind = (typeof SLICE_KINDS)[number];

/** What is read of one change source. */
export interface SourceSpan {
  /** Name of the change source: its table as the job file has it. */
  readonly source: string;
  /** Up to where the slice before has read, ISO text with microseconds or the source's own position; null for none. */
  readonly from: string | null;
  /** Up to where this slice reads, exclusive. */
  readonly to: string;
}

/** What a slice is; recorded in the ledger before anything is read. */
export interface SliceDetails {
  readonly kind: SliceKind;
  readonly spans: readonly SourceSpan[];
  /** The instant at which features are computed, ISO text with microseconds: the value of `:window_end`. */
  readonly as_of: string;
  /** The publication that the slice follows; null for none. */
  readonly follows: number | null;
  /** End of a window of the batch, if the slice ends there: the rows of then are kept for a comparison. */
  readonly boundary: string | null;
  /** Digest of the query's text, of the columns and of what else must be equal from slice to slice. */
  readonly shape: string;
}

/** What came of a slice; in the ledger entry of its publication. */
export interface SliceOutcome {
  /** Distinct keys that changed; null if all users were read. */
  readonly changed_keys: number | null;
  /** Rows that the model scored. */
  readonly scored: number;
  /** Rows whose features and model are unchanged: they kept their score. */
  readonly unchanged: number;
  readonly quarantined: number;
  /** Users that are deleted now. */
  readonly deleted: number;
  /** Users that the table has after the slice, without the deleted ones. */
  readonly users: number;
  /** Users whose row is of another model than the slice's. */
  readonly other_model: number;
  /** Instant of the last slice that read all users. */
  readonly last_full: string;
}
