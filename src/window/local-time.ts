import { wallClock } from './calendar.ts';

/** An instant for people, in the job's zone and to the minute: `2026-11-23 06:00 (Europe/Berlin)`. @param instant as ISO text */
export function localTime(instant: string, zone: string): string {
  return `${localMinute(instant, zone)} (${zone})`;
}

/** `1997-03-10 00:00 to 1997-03-17 00:00`, where the zone is named elsewhere. */
export function localRange({ start, end }: { readonly start: string; readonly end: string }, zone: string): string {
  return `${localMinute(start, zone)} to ${localMinute(end, zone)}`;
}

/** `1997-03-10 00:00`, where the zone is named elsewhere. */
export function localMinute(instant: string, zone: string): string {
  const at = Date.parse(instant);
  // A mark in scratch may be anybody's.
  return Number.isNaN(at) ? instant : wallClock(at, zone).slice(0, 16).replace('T', ' ');
}
