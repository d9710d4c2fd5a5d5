import { dayStart, plusDays, wallClock } from '../window/calendar.ts';

// Instants of slices are ISO strings in UTC with six fractional digits: warehouses have microseconds, a Date does not. Strings
// of this form sort like the instants.

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

/** The value of an exclusive date parameter: the first date that starts at or after the instant. */
export function endDate(instant: string, zone: string): string {
  const [date = ''] = wallClock(millis(instant), zone).split('T');
  return isMidnight(instant, zone) ? date : plusDays(date, 1);
}
