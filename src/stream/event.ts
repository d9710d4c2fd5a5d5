import type { FieldValue } from '../event-features/definition.ts';

/** An event as it was read from the input topic. */
export interface StreamEvent {
  readonly offset: number;
  /** Kafka's timestamp of the record, in epoch milliseconds. */
  readonly timestamp: number;
  readonly key: string;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** One per field of the feature file, in its order. */
  readonly values: readonly FieldValue[];
}

/** Why a record is not scored; it goes to the dead-letter topic (a duplicate is only counted). */
const REJECTIONS = [
  'not an event',
  'no key',
  'no id',
  'no time',
  'time out of range',
  'wrong type',
  'key differs from the message key',
  'too large',
  'ahead of its timestamp',
  'late',
  'sum overflows',
  'refused by the model',
] as const;
export type EventRejection = (typeof REJECTIONS)[number];

/** Value of a feature; a sum beyond 2^53 is a bigint. */
export type FeatureValue = FieldValue | bigint;

/** An event that is due for scoring, with its features. */
export interface DueEvent {
  readonly event: StreamEvent;
  /** One per feature of the feature file, in its order; undefined if a sum overflows int64, which rejects the event. */
  readonly features: readonly FeatureValue[] | undefined;
  /** Older events of the key were dropped from the window, because the key has too many. Outside the agreement. */
  readonly capped: boolean;
  /** Scored before its time, because the partition was idle. Outside the agreement. */
  readonly idle: boolean;
  /**
   * Events that its window or rules need may predate what was read: the group began after them, or the log dropped them.
   * Outside the agreement.
   */
  readonly partial?: boolean;
}
