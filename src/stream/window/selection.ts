import type { WindowFeature } from '../../event-features/definition.ts';
import { type RecordLayout, TIME } from './record-layout.ts';

/** Which value of a record a feature looks at, and under which conditions. */
export interface Selection {
  readonly width: number;
  readonly maskPlace: number;
  /** 0 if there are no conditions. */
  readonly bit: number;
  readonly place: number;
}

/** A feature without a field looks at the time, which is never null. */
export function selectionOf({ where, field }: WindowFeature, layout: RecordLayout): Selection {
  const { place: maskPlace, bit } = layout.mask(where);
  return { width: layout.width, maskPlace, bit, place: field === undefined ? TIME : layout.column(field).place };
}

/** NaN for null, and for an event that does not meet the conditions. */
export function valueAt({ width, maskPlace, bit, place }: Selection, data: Float64Array, index: number): number {
  const at = index * width;
  if (bit !== 0 && ((data[at + maskPlace] as number) & bit) === 0) return Number.NaN;
  return data[at + place] as number;
}
