import type { FeatureValue } from '../event.ts';
import type { Records } from './records.ts';

/** The events that an event's feature looks at. */
export interface Range {
  readonly events: Records;
  readonly from: number;
  readonly to: number;
  /** Time and offset of the event whose feature it is. */
  readonly time: number;
  readonly offset: number;
}

/** @returns undefined if a sum overflows int64 */
export type Aggregate = (range: Range) => FeatureValue | undefined;
