import type { Window, WindowKind } from '../domain/window.ts';
import { type CalendarDate, dayStart, instantsOf, mondayOf, plusDays, wallClock, weekOf } from './calendar.ts';

const HOUR = 3_600_000;

/**
 * The window `[start, end)` of two instants in epoch milliseconds. A range that is exactly a week, day or hour of the zone
 * becomes that week, day or hour, so `--week` and an Airflow data interval name the same window.
 */
export function windowOf(start: number, end: number, zone: string): Window {
  const kind = kindOf(start, end, zone);
  return { start: new Date(start), end: new Date(end), kind, label: labelOf(start, end, kind, zone), zone };
}

/** The ISO week that starts on this Monday. */
export function weekWindow(monday: CalendarDate, zone: string): Window {
  return windowOf(dayStart(monday, zone), dayStart(plusDays(monday, 7), zone), zone);
}

export function dayWindow(date: CalendarDate, zone: string): Window {
  return windowOf(dayStart(date, zone), dayStart(plusDays(date, 1), zone), zone);
}

/** The hour that starts at an instant in epoch milliseconds. */
export function hourWindow(start: number, zone: string): Window {
  return windowOf(start, start + HOUR, zone);
}

/** The window of the same kind that ends where this one starts; an ad hoc window has none. */
export function previousWindow(window: Window): Window | undefined {
  const end = window.start.getTime();
  switch (window.kind) {
    case 'week':
      return weekWindow(mondayOf(localDate(end - 1, window.zone)), window.zone);
    case 'day':
      return dayWindow(localDate(end - 1, window.zone), window.zone);
    case 'hour':
      return hourWindow(end - HOUR, window.zone);
    case 'ad hoc':
      return undefined;
  }
}

/**
 * The time in which the outcome of a window's users becomes known. It begins where the window ends, and ends this many days
 * later at the same local time. If the clocks skip that time, it ends an hour later.
 */
export function labelWindow({ end, zone }: Window, days: number): Window {
  const start = end.getTime();
  const [date = '', time = ''] = wallClock(start, zone).split('T');
  const later = plusDays(date, days);
  if (isDayStart(start, zone)) return windowOf(start, dayStart(later, zone), zone);
  const wall = Date.parse(`${later}T${time}Z`);
  return windowOf(start, instantsOf(wall, zone)[0] ?? instantsOf(wall + HOUR, zone)[0] ?? start + days * 24 * HOUR, zone);
}

/** The window's first and past-the-end date; undefined if it does not consist of whole days of its zone. */
export function wholeDays(window: Window): { start: CalendarDate; end: CalendarDate } | undefined {
  const [start, end] = [localDate(window.start.getTime(), window.zone), localDate(window.end.getTime(), window.zone)];
  const whole = isDayStart(window.start.getTime(), window.zone) && isDayStart(window.end.getTime(), window.zone);
  return whole ? { start, end } : undefined;
}

function kindOf(start: number, end: number, zone: string): WindowKind {
  if (isDayStart(start, zone)) {
    const first = localDate(start, zone);
    if (end === dayStart(plusDays(first, 1), zone)) return 'day';
    if (first === mondayOf(first) && end === dayStart(plusDays(first, 7), zone)) return 'week';
  }
  return end - start === HOUR && wallClock(start, zone).endsWith(':00:00.000') ? 'hour' : 'ad hoc';
}

function labelOf(start: number, end: number, kind: WindowKind, zone: string): string {
  const local = wallClock(start, zone);
  switch (kind) {
    case 'week':
      return weekOf(localDate(start, zone));
    case 'day':
      return localDate(start, zone);
    case 'hour':
      return `${local.slice(0, 13)}${offsetWhereAmbiguous(start, zone)}`;
    case 'ad hoc':
      return isDayStart(start, zone) && isDayStart(end, zone)
        ? `${localDate(start, zone)}_${localDate(end, zone)}`
        : `${compact(start)}_${compact(end)}`;
  }
}

/** An hour that occurs twice needs its offset in the label, or the second would overwrite the first. */
function offsetWhereAmbiguous(start: number, zone: string): string {
  const wall = Date.parse(`${wallClock(start, zone)}Z`);
  if (instantsOf(wall, zone).length < 2) return '';
  const minutes = (wall - start) / 60_000;
  const digits = [Math.abs(minutes) / 60, Math.abs(minutes) % 60].map((part) => String(Math.floor(part)).padStart(2, '0'));
  return `${minutes < 0 ? '-' : '+'}${digits.join('')}`;
}

function isDayStart(instant: number, zone: string): boolean {
  return dayStart(localDate(instant, zone), zone) === instant;
}

function localDate(instant: number, zone: string): CalendarDate {
  return wallClock(instant, zone).slice(0, 10);
}

/** `2026-11-18T09:00:00.000Z` → `20261118T090000Z`; keeps milliseconds unless they are zero. */
function compact(instant: number): string {
  return new Date(instant)
    .toISOString()
    .replace(/\.000Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
}
