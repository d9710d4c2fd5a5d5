import { ScoreBatchError } from '../errors.ts';

/** An RFC 3339 instant with an offset; seconds are optional. */
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:[Zz]|[+-](\d{2}):(\d{2}))$/;

/** Years that a window can be in. Outside them, SQL, calendars and time zones disagree. */
const YEARS = { first: 1970, last: 2199 };

/**
 * The current time in epoch milliseconds: `SCORE_BATCH_NOW` if it is set, otherwise the clock. Read once per invocation, so
 * a run that starts before midnight and ends after it works on one window.
 *
 * @throws ScoreBatchError `usage` if the variable is not an RFC 3339 instant of the years 1970 to 2199
 */
export function readNow(environment: NodeJS.ProcessEnv): number {
  const pinned = environment.SCORE_BATCH_NOW;
  if (pinned === undefined || pinned === '') return Date.now();
  const instant = parseInstant(pinned);
  if (instant === undefined) {
    throw new ScoreBatchError('usage', `SCORE_BATCH_NOW=${pinned} is not an instant with an offset`, {
      hint: 'write it like 2026-11-23T08:00:00+01:00',
    });
  }
  return instant;
}

/**
 * An instant with an offset, as epoch milliseconds; undefined if the string is anything else.
 *
 * `Date.parse` alone also accepts `1Z` (a month of 2001), February 30 (March 2) and years with six digits.
 */
export function parseInstant(text: string): number | undefined {
  const [, year, month, day, hour, minute, second = '0', ...offset] = INSTANT.exec(text) ?? [];
  if (year === undefined || Number(year) < YEARS.first || Number(year) > YEARS.last) return undefined;
  const local = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)));
  // An excessive part, such as day 31 of a short month, carries over into the next larger part.
  const isReal =
    local.getUTCMonth() === Number(month) - 1 && local.getUTCDate() === Number(day) && local.getUTCHours() === Number(hour);
  const [offsetHours = '0', offsetMinutes = '0'] = offset;
  if (!isReal || Number(minute) > 59 || Number(second) > 59 || Number(offsetHours) > 23 || Number(offsetMinutes) > 59) {
    return undefined;
  }
  const instant = Date.parse(text.toUpperCase());
  return Number.isNaN(instant) ? undefined : instant;
}
