import type { DueEvent, StreamEvent } from './event.ts';

/** What became of an event that is read. Only `accepted` ones are in windows and are scored. */
export type Verdict = 'accepted' | 'duplicate' | 'late' | 'ahead of its timestamp';

/**
 * From where the window of a partition can be rebuilt, and which of its events were scored. Kept in the metadata of the committed
 * offset. All offsets are of the input partition.
 */
export interface WindowCheckpoint {
  /** The next offset to read: the committed offset. */
  readonly position: number;
  /** Read again from here, without scoring; `maximum` is the running maximum before it, null for none. */
  readonly replay: { readonly offset: number; readonly maximum: number | null };
  /** Largest event time so far; null before the first event. */
  readonly maximum: number | null;
  /** As of event: accepted events before this time were scored. Null before the first event, and as of arrival. */
  readonly frontier: number | null;
  /**
   * As of event: all events below this offset were scored, because the partition was idle, or are not the group's to score; 0 if there
   * are none.
   */
  readonly flushed: number;
}

/** The windows of all keys of one partition. Events come in the order of their offsets. */
export interface PartitionWindow {
  /** The next offset to read. */
  readonly position: number;
  /** Whether offsets that were committed before are still read again; nothing becomes due meanwhile. */
  readonly rebuilding: boolean;
  readonly keys: number;
  /** Accepted events in memory. */
  readonly events: number;
  /** Estimate of the memory that they take. */
  readonly bytes: number;
  /** Accepted events that were not taken yet. */
  readonly pending: number;
  /** Those of them that are due. */
  readonly due: number;
  /** @throws RangeError if the offset is below `position` */
  add(event: StreamEvent): Verdict;
  /** Moves the position past records that are no events. */
  skipTo(position: number): void;
  /**
   * Takes the events that are due, in the order in which they are scored: as of arrival by offset, as of event by (time, offset)
   * once no event that is not late can come before them.
   *
   * @param idle takes pending ones that are not due, too
   * @param most as of event, how many it takes, or a few more: those of one instant are taken together. If not all pending events are
   *   taken by an idle take, those that are not due come by offset
   */
  takeDue(idle?: boolean, most?: number): DueEvent[];
  /** Of what was added and taken so far. */
  checkpoint(): WindowCheckpoint;
}

export interface WindowLimits {
  /** Most accepted events of a key in memory; older ones leave first, and what they were missing from is `capped`. */
  readonly eventsPerKey: number;
}
