import { wallClock } from './calendar.ts';

/** An instant for people, in the job's zone, to the minute: `2026-11-23 06:00 (Europe/Berlin)`. @param instant ISO string */
export function localTime(instant: string, zone: string): string {
  return `${localMinute(instant, zone)} (${zone})`;
}

/** `1997-03-10 00:00 to 1997-03-17 00:00`, for use where the zone is already shown. */
export function localRange({ start, end }: { readonly start: string; readonly end: string }, zone: string): string {
  return `${localMinute(start, zone)} to ${localMinute(end, zone)}`;
}

/** `1997-03-10 00:00`, for use where the zone is already shown. */
export function localMinute(instant: string, zone: string): string {
  const at = Date.parse(instant);
  // Other tools can write to scratch, so a mark there may hold anything.
  return Number.isNaN(at) ? instant : wallClock(at, zone).slice(0, 16).replace('T', ' ');
}
