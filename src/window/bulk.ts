import type { Grain, Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { mondayOf, parseDate, parseWeek, plusDays, wallClock, weekOf } from './calendar.ts';
import { hourNamed, lastWholeHour, type WindowFlags, windowFromFlags } from './flags.ts';
import { dayWindow, hourWindow, weekWindow } from './window.ts';

/** First and last window as typed, both included. */
export interface BulkFlags {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Maximum windows per call: ten years of days, or five months of hours. */
const MOST = 3_700;
const HOUR = 3_600_000;
const QUARTER_HOUR = 900_000;
/** Ignoring clock changes. */
const LENGTH_MS: Readonly<Record<Grain, number>> = { hour: HOUR, day: 24 * HOUR, week: 168 * HOUR };
const EXAMPLES: Readonly<Record<Grain, string>> = { week: '2026-W47', day: '2026-11-18', hour: '2026-11-18T09' };
const NAMES: Readonly<Record<Grain, string>> = { week: 'a week', day: 'a day', hour: 'an hour' };
/** The flag with which other commands name such a window. */
const FLAGS = { week: 'week', day: 'date', hour: 'hour' } as const satisfies Record<Grain, keyof WindowFlags>;

/**
 * All windows of a job's grain from the first to the last label, both included, oldest first.
 *
 * @param now epoch milliseconds
 * @throws ScoreBatchError `usage` if a label is missing, does not exist or has another grain, the first is after the last, the last is
 *   still open, or there are too many
 */
export function windowsBetween({ from, to }: BulkFlags, grain: Grain, zone: string, now: number): Window[] {
  if (from === undefined || to === undefined) {
    const missing = from === undefined ? '--from' : '--to';
    throw usage(`${missing} is missing`, `name the first and the last ${grain}: --from ${EXAMPLES[grain]} --to …`);
  }
  const kinds = [kindOfLabel(from), kindOfLabel(to)];
  if (kinds[0] !== undefined && kinds[1] !== undefined && kinds[0] !== kinds[1]) {
    const wrong = kinds[0] === grain ? to : from;
    throw usage(`--from ${from} is ${NAMES[kinds[0]]}, but --to ${to} is ${NAMES[kinds[1]]}`, asGrain(wrong, grain));
  }
  const [first, last] = [labelled('--from', from, grain, zone), labelled('--to', to, grain, zone)];
  if (first.start > last.start) throw usage(`--from ${from} is after --to ${to}`, 'put the earlier window in --from');
  if (last.end.getTime() > now) {
    const complete = lastComplete(grain, zone, now);
    throw usage(
      `the window ${last.label} is still open: rows would be missing`,
      `the last complete ${grain} is ${complete.label}`,
    );
  }
  if (last.end.getTime() - first.start.getTime() > MOST * LENGTH_MS[grain]) {
    throw usage(`${from} to ${to} is more than ${MOST.toLocaleString('en')} windows`, 'run the range in several parts');
  }
  const windows: Window[] = [];
  for (let window = first; window.start <= last.start; window = nextWindow(window, grain)) windows.push(window);
  return windows;
}

/** The last window of a grain that has ended at `now`, epoch milliseconds. */
export function lastComplete(grain: Grain, zone: string, now: number): Window {
  return windowFromFlags({ [FLAGS[grain]]: true }, zone, now);
}

/** The window of a grain that contains an instant in epoch milliseconds. */
export function windowAt(instant: number, grain: Grain, zone: string): Window {
  const date = wallClock(instant, zone).slice(0, 10);
  if (grain === 'hour') return hourWindow(lastWholeHour(instant, zone), zone);
  return grain === 'day' ? dayWindow(date, zone) : weekWindow(mondayOf(date), zone);
}

/** The next window of a grain. Usually it starts where this one ends; days and hours that the zone skips are left out. */
function nextWindow({ end, zone }: Pick<Window, 'end' | 'zone'>, grain: Grain): Window {
  const start = end.getTime();
  const date = wallClock(start, zone).slice(0, 10);
  switch (grain) {
    case 'week':
      return weekWindow(date === mondayOf(date) ? date : plusDays(mondayOf(date), 7), zone);
    case 'day':
      return dayWindow(date, zone);
    case 'hour': {
      // After clocks have moved by half an hour (Australia/Lord_Howe), the next whole hour starts later.
      let next = start;
      for (let i = 0; i < 4 && !wallClock(next, zone).endsWith(':00:00.000'); i += 1) next += QUARTER_HOUR;
      return hourWindow(next, zone);
    }
  }
}

/** The grain of a label; undefined if the string does not look like a label. */
function kindOfLabel(text: string): Grain | undefined {
  if (/^\d{4}-W\d{1,2}$/.test(text)) return 'week';
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return 'day';
  return /^\d{4}-\d{2}-\d{2}T\d{2}(:00)?([+-]\d{4})?$/.test(text) ? 'hour' : undefined;
}

function labelled(flag: string, text: string, grain: Grain, zone: string): Window {
  const kind = kindOfLabel(text);
  if (kind === undefined) {
    throw usage(
      `${flag} ${text} is not a week, a day or an hour`,
      `this job runs every ${grain}: write it like ${EXAMPLES[grain]}`,
    );
  }
  if (kind !== grain) throw usage(`${flag} ${text} is ${NAMES[kind]}, but this job runs every ${grain}`, asGrain(text, grain));
  if (kind === 'hour') return hourNamed(text, zone, flag);
  if (kind === 'day' && parseDate(text) === undefined)
    throw usage(`${flag} ${text} is not a calendar date`, `write it like ${EXAMPLES.day}`);
  return windowFromFlags({ [FLAGS[kind]]: text }, zone, 0);
}

/** Suggests the window of the job's grain in which a label's window starts. */
function asGrain(text: string, grain: Grain): string {
  const date = parseWeek(text) ?? parseDate(text.slice(0, 10));
  const label = date && { week: weekOf(date), day: date, hour: `${date}T00` }[grain];
  return `this job runs every ${grain}: ${label === undefined ? `write it like ${EXAMPLES[grain]}` : `for ${text}, write ${label}`}`;
}

function usage(message: string, hint: string): ScoreBatchError {
  return new ScoreBatchError('usage', message, { hint });
}
