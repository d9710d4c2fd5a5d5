import type { DueEvent, StreamEvent } from './event.ts';

/** Outcome for an event that is read. Only `accepted` ones are in windows and are scored. */
export type Verdict = 'accepted' | 'duplicate' | 'late' | 'ahead of its timestamp';

/**
 * From where the window of a partition can be rebuilt, and which of its events were scored. Stored as metadata of the committed
 * offset. All offsets are of the input partition.
 */
export interface WindowCheckpoint {
  /** The next offset to read: the committed offset. */
  readonly position: number;
  /** Rebuilding reads from here, without scoring; `maximum` is the running maximum before it, null for none. */
  readonly replay: { readonly offset: number; readonly maximum: number | null };
  /** Largest event time so far; null before the first event. */
  readonly maximum: number | null;
  /** As of event: accepted events before this time were scored. Null before the first event, and if as of arrival. */
  readonly frontier: number | null;
  /**
   * As of event: all events below this offset were scored because the partition was idle, or do not belong to the group; 0 if
   * there are none.
   */
  readonly flushed: number;
}

/** The windows of all keys of one partition. Events are added in the order of their offsets. */
export interface PartitionWindow {
  /** The next offset to read. */
  readonly position: number;
  /** Whether offsets committed earlier are still being read again; meanwhile nothing becomes due. */
  readonly rebuilding: boolean;
  readonly keys: number;
  /** Accepted events in memory. */
  readonly events: number;
  /** Their estimated memory. */
  readonly bytes: number;
  /** Accepted events that were not taken yet. */
  readonly pending: number;
  /** How many of these are due. */
  readonly due: number;
  /** @throws RangeError if the offset is below `position` */
  add(event: StreamEvent): Verdict;
  /** Moves the position past records that are not events. */
  skipTo(position: number): void;
  /**
   * Takes due events in scoring order: as of arrival by offset; as of event by (time, offset), once only late events could
   * still come before them.
   *
   * @param idle also takes pending events that are not due
   * @param most as of event, how many to take, or a few more: events of one instant are taken together. If an idle take leaves
   * pending events, those that are not due come by offset
   */
  takeDue(idle?: boolean, most?: number): DueEvent[];
  /** A checkpoint of everything added and taken so far. */
  checkpoint(): WindowCheckpoint;
}

export interface WindowLimits {
  /** Most accepted events of a key in memory; the oldest leave first, and events whose windows lack them are `capped`. */
  readonly eventsPerKey: number;
}
