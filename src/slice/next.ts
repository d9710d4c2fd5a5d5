import type { SliceKind } from '../domain/slice.ts';
import type { Grain } from '../domain/window.ts';
import { windowAt } from '../window/bulk.ts';
import { isMidnight, microText, midnightBefore, millis } from './instants.ts';

export interface SliceRules {
  readonly every: Grain;
  readonly zone: string;
  /** Whether all users are read once a day, by `refresh` or `reconcile`. */
  readonly daily: boolean;
  /** Whether slices are compared with the batch. */
  readonly shadow: boolean;
}

/** End of a slice, and what it reads. */
export interface NextSlice {
  readonly kind: SliceKind;
  readonly asOf: string;
  /** See `SliceDetails`. */
  readonly boundary: string | null;
}

/**
 * The slice after one that ended at `from`. It ends where the data ends, unless there is an earlier stop: the last end of a
 * batch window if slices are compared with the batch, and the last local midnight if all users are read once a day. So an
 * outage of days takes at most three slices, or one if there are no stops.
 *
 * @param from undefined if there is no position
 * @param end where the data ends; see `ChangeSource`
 */
export function nextSlice(from: string | undefined, end: string, { every, zone, daily, shadow }: SliceRules): NextSlice {
  if (from === undefined) return { kind: 'snapshot', asOf: end, boundary: null };
  const boundary = microText(windowAt(millis(end), every, zone).start.getTime());
  const midnight = midnightBefore(end, zone);
  const stops = [...(shadow ? [boundary] : []), ...(daily ? [midnight] : [])].filter((stop) => stop > from && stop <= end);
  const asOf = stops.sort()[0] ?? end;
  return {
    kind: daily && asOf > from && isMidnight(asOf, zone) ? 'full' : 'changes',
    asOf,
    boundary: shadow && asOf > from && asOf === boundary ? asOf : null,
  };
}
