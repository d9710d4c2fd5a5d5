import { dayStart, plusDays, wallClock } from '../window/calendar.ts';

// Instants of slices are ISO texts in UTC with six digits of the second: a warehouse has microseconds, a Date has not. Texts of
// one form are ordered as the instants are.

/** @param ms epoch milliseconds */
export function microText(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** Epoch milliseconds, rounded down. */
export function millis(instant: string): number {
  return Date.parse(instant.replace(/(\.\d{3})\d*Z$/, '$1Z'));
}

/** The newest start of a local day at or before the instant. */
export function midnightBefore(instant: string, zone: string): string {
  const [date = ''] = wallClock(millis(instant), zone).split('T');
  return microText(dayStart(date, zone));
}

/** Whether a local day starts at the instant. */
export function isMidnight(instant: string, zone: string): boolean {
  return midnightBefore(instant, zone) === instant;
}

/** The date whose end is the first one at or after the instant: the value of a date parameter that excludes the date itself. */
export function endDate(instant: string, zone: string): string {
  const [date = ''] = wallClock(millis(instant), zone).split('T');
  return isMidnight(instant, zone) ? date : plusDays(date, 1);
}
