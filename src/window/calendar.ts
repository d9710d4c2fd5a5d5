import { tz, tzOffset } from '@date-fns/tz';
// One by one: the package's index loads 250 files, which is a tenth of a second of every start.
import { addDays } from 'date-fns/addDays';
import { formatISO } from 'date-fns/formatISO';
import { getISOWeek } from 'date-fns/getISOWeek';
import { getISOWeekYear } from 'date-fns/getISOWeekYear';
import { isValid } from 'date-fns/isValid';
import { parseISO } from 'date-fns/parseISO';
import { setISOWeek } from 'date-fns/setISOWeek';
import { startOfISOWeek } from 'date-fns/startOfISOWeek';

// Calendar dates are handled as midnights in UTC, where every day has 24 hours; only `instantsOf` and `dayStart` know zones.
// Chaining date-fns' addWeeks in a zone drifts after a skipped midnight (Asia/Tehran, 2021-03-22).
const UTC = { in: tz('UTC') };
const MINUTE = 60_000;
const DAY = 86_400_000;
// Windows end after their last day, and a date has four digits of year.
const LAST = '9999-12-20';

/** A date of the calendar without a zone, `YYYY-MM-DD`. */
export type CalendarDate = string;

/** Wall-clock time in milliseconds, as if the clock stood in UTC. */
type WallClock = number;

/** `2026-11-18` → itself, anything that is no date of the calendar → undefined. */
export function parseDate(text: string): CalendarDate | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const date = parseISO(text, UTC);
  return isValid(date) && formatDate(date) === text && text < LAST ? text : undefined;
}

/** Monday of an ISO week such as `2026-W47`; undefined for text of another form and for weeks that do not exist. */
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

/** Monday of the week that holds `date`. */
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
 * First instant of a calendar date in a zone, in epoch milliseconds. Where midnight is skipped (Asia/Tehran 2021-03-22) it
 * is the instant at which the clocks jumped; where it exists twice (America/Havana in autumn) it is the first.
 */
export function dayStart(date: CalendarDate, zone: string): number {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  const [first] = instantsOf(midnight, zone);
  return first ?? midnight - offset(zone, midnight - DAY);
}

/** Every instant (epoch milliseconds, ascending) at which the wall clock of a zone shows `wall`: none, one or two. */
export function instantsOf(wall: WallClock, zone: string): number[] {
  const offsets = new Set([wall - DAY, wall, wall + DAY].map((instant) => offset(zone, instant)));
  return [...offsets]
    .map((shift) => wall - shift)
    .filter((instant) => instant + offset(zone, instant) === wall)
    .sort((a, b) => a - b);
}

/** How far the clocks of a zone are from UTC at an instant, as `-05:00`. */
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
