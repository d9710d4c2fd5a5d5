import type { Grain, Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { dayStart, instantsOf, mondayOf, offsetText, parseDate, parseWeek, plusDays, wallClock } from './calendar.ts';
import { localTime } from './local-time.ts';
import { dayWindow, hourWindow, weekWindow, windowOf } from './window.ts';

/** The window flags as typed. `true` is a flag without a value: the last complete week, day or hour. */
export interface WindowFlags {
  readonly week?: string | true | undefined;
  readonly date?: string | true | undefined;
  readonly hour?: string | true | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const HOUR = 3_600_000;
const CHOICES = 'choose one of --week, --date, --hour, or --from with --to';

/**
 * The window that the flags name.
 *
 * @param now epoch milliseconds; determines the last complete week, day or hour
 * @throws ScoreBatchError `usage` if flags clash or name a time that does not exist in the zone
 */
export function windowFromFlags(flags: WindowFlags, zone: string, now: number): Window {
  const given = (['week', 'date', 'hour'] as const).filter((name) => flags[name] !== undefined);
  const range = flags.from !== undefined || flags.to !== undefined;
  if (given.length + Number(range) === 0) throw usage('no window given', CHOICES);
  if (given.length + Number(range) > 1) {
    const names = [...given.map((name) => `--${name}`), ...(range ? ['--from/--to'] : [])];
    throw usage(`${names.join(' and ')} cannot be combined: each names a window`, CHOICES);
  }
  const window = range ? rangeWindow(flags.from, flags.to, zone) : namedWindow(flags, zone, now);
  if (window.start.getTime() >= window.end.getTime()) {
    throw usage(`the window ${window.label} is empty: it does not end after its start`, 'put the earlier instant in --from');
  }
  return window;
}

/** @throws ScoreBatchError `usage` if the window has not ended at `now` (epoch milliseconds) */
export function refuseOpen(window: Window, now: number): void {
  if (window.end.getTime() <= now) return;
  throw usage(
    `the window ${window.label} is still open until ${localTime(window.end.toISOString(), window.zone)}: rows would be missing`,
    'wait until it has ended, or add --allow-open',
  );
}

/** @throws ScoreBatchError `usage` if the window is not one of those that the job runs every `grain` */
export function refusePart({ kind, label, zone }: Window, grain: Grain): void {
  if (kind === grain) return;
  throw usage(
    `the window ${label} is not a whole ${grain} in ${zone}, but this job runs every ${grain}`,
    "if a scheduler chose the window, give its schedule the job's time zone and length; without --whole, any window is allowed",
  );
}

function namedWindow(flags: WindowFlags, zone: string, now: number): Window {
  const today = wallClock(now, zone).slice(0, 10);
  if (flags.week === true) return weekWindow(plusDays(mondayOf(today), -7), zone);
  if (flags.week !== undefined) return weekWindow(mondayNamed(flags.week), zone);
  if (flags.date === true) return dayWindow(plusDays(today, -1), zone);
  if (flags.date !== undefined) return dayNamed(flags.date, zone);
  if (flags.hour === true) return hourWindow(lastWholeHour(now, zone) - HOUR, zone);
  return hourNamed(flags.hour ?? '', zone, '--hour');
}

function mondayNamed(text: string): string {
  const monday = parseWeek(text);
  if (monday !== undefined) return monday;
  const year = /^(\d{4})-W\d{2}$/.exec(text)?.[1];
  if (year === undefined) throw usage(`--week ${text} is not an ISO week`, 'write it like 2026-W47');
  const last = parseWeek(`${year}-W53`) === undefined ? 52 : 53;
  throw usage(`the week ${text} does not exist`, `${year} has the ISO weeks W01 to W${last}`);
}

function dayNamed(text: string, zone: string): Window {
  const date = parseDate(text);
  if (date === undefined) throw usage(`--date ${text} is not a calendar date`, 'write it like 2026-11-18');
  const window = dayWindow(date, zone);
  if (window.start.getTime() >= window.end.getTime())
    throw usage(`the day ${text} does not exist in ${zone}`, 'choose another day');
  return window;
}

/**
 * An hour by its label, which has an offset if the clocks show the hour twice: `2026-10-25T02+0200`.
 *
 * @param flag that has the string, for messages
 * @throws ScoreBatchError `usage` if there is no such hour, or there are two
 */
export function hourNamed(text: string, zone: string, flag: string): Window {
  const [, date = '', hour = '', offset] = /^(\d{4}-\d{2}-\d{2})T(\d{2})(?::00)?([+-]\d{4})?$/.exec(text) ?? [];
  if (parseDate(date) === undefined || Number(hour) > 23)
    throw usage(`${flag} ${text} is not an hour`, 'write it like 2026-11-18T09');
  const starts = instantsOf(Date.parse(`${date}T${hour}:00:00Z`), zone);
  const shown = starts.map((start) => hourWindow(start, zone).label).join(' or ');
  const [first, second] =
    offset === undefined ? starts : starts.filter((start) => offsetText(start, zone).replace(':', '') === offset);
  if (first === undefined) {
    const why = starts.length === 0 ? ': the clocks skip it' : '';
    const hint = starts.length === 0 ? 'choose the hour before or after it' : `write ${shown}`;
    throw usage(`the hour ${text} does not exist in ${zone}${why}`, hint);
  }
  if (second !== undefined) throw usage(`the hour ${text} exists twice in ${zone}: the clocks go back`, `write ${shown}`);
  return hourWindow(first, zone);
}

function rangeWindow(from: string | undefined, to: string | undefined, zone: string): Window {
  if (from === undefined || to === undefined) {
    throw usage(`--${from === undefined ? 'to' : 'from'} was given without --${from === undefined ? 'from' : 'to'}`, CHOICES);
  }
  const [start, end] = [rangeEnd(from, zone, '--from'), rangeEnd(to, zone, '--to')];
  if (start >= end) {
    throw usage(`--from ${from} is not before --to ${to}`, '--to is exclusive: for one day write the day and the day after it');
  }
  return windowOf(start, end, zone);
}

/**
 * The instant that a string names, in epoch milliseconds: an ISO week or a date (its first instant in the zone), an instant
 * with an offset, or a wall-clock time in the zone.
 *
 * @throws ScoreBatchError `usage` if it is something else
 */
export function instantNamed(text: string, zone: string, flag: string): number {
  const monday = parseWeek(text);
  return monday === undefined ? rangeEnd(text, zone, flag) : dayStart(monday, zone);
}

/** Parses a date (its first instant in the zone), an instant with an offset, or a wall-clock time in the zone. */
function rangeEnd(text: string, zone: string, flag: string): number {
  const date = parseDate(text);
  if (date !== undefined) return dayStart(date, zone);
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text);
  const wall = match && parseDate(match[1] ?? '') !== undefined ? `${match[1]}T${match[2]}${match[3] ?? ':00'}` : undefined;
  const shift = match?.[4] === undefined || match[4].length !== 5 ? match?.[4] : `${match[4].slice(0, 3)}:${match[4].slice(3)}`;
  if (wall === undefined || Number.isNaN(Date.parse(`${wall}${shift ?? 'Z'}`))) {
    throw usage(
      `${flag} ${text} is neither a date nor an instant`,
      'write 2026-11-18, 2026-11-18T09:00 or 2026-11-18T09:00:00+01:00',
    );
  }
  return shift === undefined ? localInstant(wall, zone) : Date.parse(`${wall}${shift}`);
}

function localInstant(wall: string, zone: string): number {
  const [first, second] = instantsOf(Date.parse(`${wall}Z`), zone);
  if (first === undefined) {
    throw usage(`the instant ${wall} does not exist in ${zone}: the clocks skip it`, 'choose a later instant');
  }
  if (second !== undefined) {
    const both = [first, second].map((instant) => `${wall}${offsetText(instant, zone)}`).join(' or ');
    throw usage(
      `the instant ${wall} exists twice in ${zone}: the clocks go back`,
      `write --from and --to with an offset: it starts at ${both}`,
    );
  }
  return first;
}

/** Start of the zone's hour that contains `now`, epoch milliseconds. In zones with half-hour offsets, hours start at :30 UTC. */
export function lastWholeHour(now: number, zone: string): number {
  const wall = wallClock(now, zone);
  return now - (Date.parse(`${wall}Z`) % HOUR);
}

function usage(message: string, hint: string): ScoreBatchError {
  return new ScoreBatchError('usage', message, { hint });
}
