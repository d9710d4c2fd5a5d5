/** Window lengths that a job can have. */
export const GRAINS = ['hour', 'day', 'week'] as const;
export type Grain = (typeof GRAINS)[number];

/** A window is an hour, a day or an ISO week in the job's zone, or any other range. */
export type WindowKind = Grain | 'ad hoc';

export function isWindowKind(text: string): text is WindowKind {
  return text === 'ad hoc' || (GRAINS as readonly string[]).includes(text);
}

/** A half-open range of instants `[start, end)`, computed in the job's time zone. */
export interface Window {
  readonly start: Date;
  readonly end: Date;
  readonly kind: WindowKind;
  /** `2026-W47`, `2026-11-18`, `2026-11-18T09` or `2026-11-01_2026-11-04`; safe in a file name. */
  readonly label: string;
  /** IANA name of the job's time zone. */
  readonly zone: string;
}
