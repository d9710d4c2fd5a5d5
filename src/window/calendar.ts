import { tz, tzOffset } from '@date-fns/tz';
// Imported one by one: the package's index loads 250 files, which adds a tenth of a second to every start.
import { addDays } from 'date-fns/addDays';
import { formatISO } from 'date-fns/formatISO';
import { getISOWeek } from 'date-fns/getISOWeek';
import { getISOWeekYear } from 'date-fns/getISOWeekYear';
import { isValid } from 'date-fns/isValid';
import { parseISO } from 'date-fns/parseISO';
import { setISOWeek } from 'date-fns/setISOWeek';
import { startOfISOWeek } from 'date-fns/startOfISOWeek';

// Calendar dates are midnights in UTC, where every day has 24 hours; only `instantsOf` and `dayStart` work in a time zone.
// Chained calls of date-fns' addWeeks in a zone drift after a skipped midnight (Asia/Tehran, 2021-03-22).
const UTC = { in: tz('UTC') };
const MINUTE = 60_000;
const DAY = 86_400_000;
// A window ends after its last day, and the year must still have four digits.
const LAST = '9999-12-20';

/** A calendar date without a zone, `YYYY-MM-DD`. */
export type CalendarDate = string;

/** Wall-clock time in milliseconds, as if the zone were UTC. */
type WallClock = number;

/** `2026-11-18` → itself; undefined if the string is not a calendar date. */
export function parseDate(text: string): CalendarDate | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const date = parseISO(text, UTC);
  return isValid(date) && formatDate(date) === text && text < LAST ? text : undefined;
}

/** Monday of an ISO week such as `2026-W47`; undefined if the string is not an ISO week or the week does not exist. */
export function parseWeek(text: string): CalendarDate | undefined {
  const match = /^(\d{4})-W(\d{2})$/.exec(text);
  if (!match) return undefined;
  // 4 January is always in week 1 (ISO 8601).
  const monday = startOfISOWeek(setISOWeek(parseISO(`${match[1]}-01-04`, UTC), Number(match[2])), UTC);
  return weekOf(formatDate(monday)) === text && formatDate(monday) < LAST ? formatDate(monday) : undefined;
}

/** ISO week of a date: `2027-01-01` → `2026-W53`. */
export function weekOf(date: CalendarDate): string {
  const day = parseISO(date, UTC);
  return `${getISOWeekYear(day, UTC)}-W${String(getISOWeek(day, UTC)).padStart(2, '0')}`;
}

/** Monday of the week that contains `date`. */
export function mondayOf(date: CalendarDate): CalendarDate {
  return formatDate(startOfISOWeek(parseISO(date, UTC), UTC));
}

export function plusDays(date: CalendarDate, days: number): CalendarDate {
  return formatDate(addDays(parseISO(date, UTC), days));
}

/** Wall-clock time of an instant in a zone, as `YYYY-MM-DDTHH:mm:ss.SSS`. */
export function wallClock(instant: number, zone: string): string {
  return new Date(instant + offset(zone, instant)).toISOString().slice(0, -1);
}

/**
 * First instant of a calendar date in a zone, in epoch milliseconds. If midnight is skipped (Asia/Tehran 2021-03-22), it is
 * the instant at which the clocks jump; if midnight exists twice (America/Havana in autumn), it is the first.
 */
export function dayStart(date: CalendarDate, zone: string): number {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  const [first] = instantsOf(midnight, zone);
  return first ?? midnight - offset(zone, midnight - DAY);
}

/** The instants (epoch milliseconds, ascending) at which the wall clock of a zone shows `wall`: none, one or two. */
export function instantsOf(wall: WallClock, zone: string): number[] {
  const offsets = new Set([wall - DAY, wall, wall + DAY].map((instant) => offset(zone, instant)));
  return [...offsets]
    .map((shift) => wall - shift)
    .filter((instant) => instant + offset(zone, instant) === wall)
    .sort((a, b) => a - b);
}

/** The UTC offset of a zone at an instant, as `-05:00`. */
export function offsetText(instant: number, zone: string): string {
  const minutes = Math.round(offset(zone, instant) / MINUTE);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

function offset(zone: string, instant: number): number {
  return tzOffset(zone, new Date(instant)) * MINUTE;
}

function formatDate(date: Date): CalendarDate {
  return formatISO(date, { representation: 'date', ...UTC });
}
