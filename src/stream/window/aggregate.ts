import type { FeatureValue } from '../event.ts';
import type { KeyEvents } from './key-events.ts';

/** The events that a feature of one event looks at. */
export interface Range {
  readonly events: KeyEvents;
  readonly from: number;
  readonly to: number;
  /** Of the event whose feature it is. */
  readonly time: number;
  readonly offset: number;
}

/** @returns undefined if a sum overflows int64 */
export type Aggregate = (range: Range) => FeatureValue | undefined;
