// A job's current table is in shadow until people read it: each batch window is compared with the rows that the table had when
// the window ended.

/** Where the view that people read takes its rows from; the label of a `switched` entry. */
export const SHADOW_TARGETS = ['batch', 'current'] as const;
export type ShadowTarget = (typeof SHADOW_TARGETS)[number];

/** How the current table agrees with the batch at the end of a window: numbers of users, no keys. */
export interface ShadowComparison {
  readonly window: { readonly label: string; readonly start: string; readonly end: string };
  /** Run and publication number of the batch. */
  readonly run_id: string;
  readonly publication: number;
  /** Users that the batch scored. */
  readonly keys: number;
  /** Of these, users missing in the current table. */
  readonly missing: number;
  /**
   * Users in the current table but in no window of the batch since `incremental.since`; null if these windows are not all
   * published, so that it could not be checked.
   */
  readonly extra: number | null;
  /** Users that one side scored and the other quarantined, under the same model. */
  readonly quarantined_in_batch: number;
  readonly quarantined_in_current: number;
  /** Users scored by the same model on both sides. */
  readonly compared: number;
  /** Of these, users whose scores differ by more than `max_delta`. */
  readonly differing: number;
  readonly largest_delta: number;
  /** `incremental.shadow.max_delta` */
  readonly max_delta: number;
  /** Users whose score in the current table comes from another model than the batch's. */
  readonly other_model: number;
  /**
   * Whether every key is on both sides, apart from those that may be `extra`, and no score differs by more than `max_delta`.
   */
  readonly within: boolean;
}

/** Why people read the current table, or the batch again. */
export interface ShadowSwitch {
  readonly reason: string | null;
  /** User of the warehouse's session. */
  readonly user: string | null;
  /** Labels of the windows whose comparisons support it, newest first. */
  readonly windows: readonly string[];
  readonly forced: boolean;
  /** What `--force` overruled. */
  readonly refusals: readonly string[];
}

/** Whether a comparison is within limits and meaningful, which takes a score of the same model on both sides. */
export function provesAgreement({ within, compared }: ShadowComparison): boolean {
  return within && compared > 0;
}

/**
 * Whether the scores and keys of a comparison are within limits; see `ShadowComparison.within`.
 *
 * @param maxExtra `incremental.shadow.max_extra`: users that the batch may lack, as a share of those that it scored
 */
export function isWithin(facts: Omit<ShadowComparison, 'within'>, maxExtra: number): boolean {
  const { keys, missing, extra, quarantined_in_batch, quarantined_in_current, differing } = facts;
  return missing + quarantined_in_batch + quarantined_in_current + differing === 0 && (extra ?? 0) <= maxExtra * keys;
}
