import { dayStart, plusDays, wallClock } from '../../src/window/calendar.ts';
import { HOUR, ZONE } from './deliveries.ts';
import { SINCE } from './project.ts';
import { microseconds } from './publications.ts';

/** The shop opens on this date. */
const FIRST_DAY = '1997-01-01';
/** Hours after the end of the last day, within which a slice must reach it. */
const AFTER = 12;

/** The timetable of a replay; all instants are epoch milliseconds. */
export interface Schedule {
  /** When slices are due, oldest first. */
  readonly ticks: readonly number[];
  /** End of the last day. */
  readonly end: number;
  /** First date from which orders are not needed. */
  readonly until: string;
  /** The job gets the second model at or after this instant. */
  readonly modelChange: number;
  /** Ranges [from, to) without slices. */
  readonly outages: readonly (readonly [from: number, to: number])[];
}

export interface Length {
  /** Weeks from the Monday of the first week. */
  readonly weeks?: number | undefined;
  /** Days from the first order. */
  readonly days?: number | undefined;
  /** Hours between slices. */
  readonly every: number;
}

export function scheduleOf({ weeks = 12, days, every }: Length): Schedule {
  const last = days === undefined ? plusDays(SINCE, 7 * weeks) : plusDays(FIRST_DAY, days);
  const [start, end] = [dayStart(FIRST_DAY, ZONE), dayStart(last, ZONE)];
  const ticks: number[] = [];
  for (let at = start + every * HOUR; at <= end + AFTER * HOUR; at += every * HOUR) ticks.push(at);
  const part = (share: number) => start + share * (end - start);
  return {
    ...{ ticks, end, until: plusDays(last, 1) },
    modelChange: part(0.5),
    outages: [
      [part(0.3), part(0.3) + 5 * HOUR],
      [part(0.7), part(0.7) + 26 * HOUR],
    ],
  };
}

/** The newest local midnight at or before an instant; both are ISO strings with microseconds. */
export function midnightBefore(instant: string): string {
  const date = wallClock(Math.floor(microseconds(instant) / 1000), ZONE).slice(0, 10);
  return new Date(dayStart(date, ZONE)).toISOString().replace('Z', '000Z');
}
