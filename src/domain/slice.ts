// A slice scores the users that changed since the previous slice, or all of them, and puts them into the current table. In the
// ledger, a job's slices are publications of the single window of a separate job: the publication number is the position of the
// rows that a slice wrote, and the publish lock makes slices follow one another.

const SUFFIX = '.incremental';

/** The job name that the ledger uses for the slices of a job. No job file can have such a name, because it contains a dot. */
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
 * `snapshot`: all users, because there is no position yet or it was requested. `changes`: users that changed. `full`: all users
 * once more, for `refresh: day` or `reconcile: day`.
 */
export const SLICE_KINDS = ['snapshot', 'changes', 'full'] as const;
export type SliceKind = (typeof SLICE_KINDS)[number];

/** What is read of one change source. */
export interface SourceSpan {
  /** Name of the change source: its table, as in the job file. */
  readonly source: string;
  /** How far the previous slice has read, ISO string with microseconds or the source's own position; null for none. */
  readonly from: string | null;
  /** How far this slice reads, exclusive. */
  readonly to: string;
}

/** Description of a slice; recorded in the ledger before anything is read. */
export interface SliceDetails {
  readonly kind: SliceKind;
  readonly spans: readonly SourceSpan[];
  /** The instant as of which features are computed, ISO string with microseconds: the value of `:window_end`. */
  readonly as_of: string;
  /** Number of the publication that the slice follows; null for none. */
  readonly follows: number | null;
  /** End of a batch window, if the slice ends there: the table's rows at that time are kept for a comparison. */
  readonly boundary: string | null;
  /** Digest of the query's text, its columns, and everything else that must stay the same between slices. */
  readonly shape: string;
}

/** Outcome of a slice, in the ledger entry of its publication. */
export interface SliceOutcome {
  /** Distinct keys that changed; null if all users were read. */
  readonly changed_keys: number | null;
  /** Rows that the model scored. */
  readonly scored: number;
  /** Rows whose features and model are unchanged: they kept their score. */
  readonly unchanged: number;
  readonly quarantined: number;
  /** Users that the slice deleted. */
  readonly deleted: number;
  /** Users in the table after the slice, without deleted ones. */
  readonly users: number;
  /** Users whose row comes from another model than the slice's. */
  readonly other_model: number;
  /** Instant of the last slice of all users. */
  readonly last_full: string;
}
