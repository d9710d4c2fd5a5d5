import type { FeatureValue } from '../event.ts';
import type { Records } from './records.ts';

/** The events that a feature of one event looks at. */
export interface Range {
  readonly events: Records;
  readonly from: number;
  readonly to: number;
  /** Of the event whose feature it is. */
  readonly time: number;
  readonly offset: number;
}

/** @returns undefined if a sum overflows int64 */
export type Aggregate = (range: Range) => FeatureValue | undefined;
