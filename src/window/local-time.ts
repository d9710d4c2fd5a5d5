import { wallClock } from './calendar.ts';

/** An instant as the zone's clocks show it, to the minute: `1997-03-10 00:00`. @param instant ISO text */
export function localTime(instant: string, zone: string): string {
  return wallClock(Date.parse(instant), zone).slice(0, 16).replace('T', ' ');
}

/** `1997-03-10 00:00 to 1997-03-17 00:00` */
export function localRange({ start, end }: { readonly start: string; readonly end: string }, zone: string): string {
  return `${localTime(start, zone)} to ${localTime(end, zone)}`;
}
