import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dayStart,
  instantsOf,
  mondayOf,
  parseDate,
  parseWeek,
  plusDays,
  wallClock,
  weekOf,
} from '../../src/window/calendar.ts';

const HOUR = 3_600_000;

// Zones with clock changes that break naive code about days.
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Tehran', // midnight was skipped in spring
  'America/Havana', // midnight exists twice in autumn
  'America/Goose_Bay', // put back at 00:01, into the day before, until 2011
  'Australia/Lord_Howe', // half an hour of daylight saving
  'Asia/Kathmandu', // five hours and three quarters ahead
  'Pacific/Apia', // went without 30 December 2011
  'Pacific/Kiritimati', // went without 1 January 1995
] as const;

const zone = fc.constantFrom(...ZONES);
const date = fc
  .integer({ min: Date.UTC(1980, 0, 1) / (24 * HOUR), max: Date.UTC(2037, 0, 1) / (24 * HOUR) })
  .map((day) => new Date(day * 24 * HOUR).toISOString().slice(0, 10));

describe('ISO weeks', () => {
  it.each([
    ['2014-12-29', '2015-W01', '2014-12-29'],
    ['2015-01-04', '2015-W01', '2014-12-29'],
    ['2016-01-03', '2015-W53', '2015-12-28'],
    ['2021-01-03', '2020-W53', '2020-12-28'],
    ['2026-12-31', '2026-W53', '2026-12-28'],
    ['2027-01-01', '2026-W53', '2026-12-28'],
    ['2027-01-04', '2027-W01', '2027-01-04'],
    ['2000-02-29', '2000-W09', '2000-02-28'],
  ])('puts %s in %s, which starts on %s', (day, week, monday) => {
    expect([weekOf(day), mondayOf(day), parseWeek(week)]).toEqual([week, monday, monday]);
  });

  it.each(['2025-W53', '2026-W54', '2026-W00', '2026-W4', '2026W47', '2026-w47', ' 2026-W47', ''])(
    'rejects %j as a week',
    (text) => {
      expect(parseWeek(text)).toBeUndefined();
    },
  );

  it('has seven dates per week, and finds the Monday from the name', () => {
    fc.assert(
      fc.property(date, fc.integer({ min: 0, max: 6 }), (day, later) => {
        const monday = mondayOf(day);
        expect(parseWeek(weekOf(day))).toBe(monday);
        expect(weekOf(plusDays(monday, later))).toBe(weekOf(day));
        expect(weekOf(plusDays(monday, 7))).not.toBe(weekOf(day));
      }),
    );
  });
});

it.each(['2026-02-30', '2027-02-29', '2026-13-01', '2026-1-1', '20260101', '2026-01-01T00', ''])(
  'rejects %j as a calendar date',
  (text) => {
    expect(parseDate(text)).toBeUndefined();
  },
);

describe('the first instant of a day', () => {
  it.each([
    ['2026-11-18', 'Europe/Berlin', '2026-11-17T23:00:00.000Z', 'at midnight'],
    ['2021-03-22', 'Asia/Tehran', '2021-03-21T20:30:00.000Z', 'at the jump where midnight is skipped'],
    ['2020-11-01', 'America/Havana', '2020-11-01T04:00:00.000Z', 'at the first of two midnights'],
    ['2011-12-31', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'after a day that was left out'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'where a day that does not exist would have been'],
  ])('of %s in %s is %s, %s', (day, place, instant) => {
    expect(new Date(dayStart(day, place)).toISOString()).toBe(instant);
  });

  it('is where the previous day ends: days tile the time line, whatever the clocks do', () => {
    fc.assert(
      fc.property(date, zone, (day, place) => {
        const hours = (dayStart(plusDays(day, 1), place) - dayStart(day, place)) / HOUR;
        // 0 is a skipped day; in 1988 the clocks of Goose Bay went two hours forward (22) and back (26).
        expect(hours === 0 || (hours >= 22 && hours <= 26)).toBe(true);
        if (hours > 0) expect(wallClock(dayStart(day, place), place).slice(0, 10)).toBe(day);
      }),
      { numRuns: 500 },
    );
  });
});

describe('instants of a wall-clock time', () => {
  it.each([
    ['2026-03-29T02:30:00', 'Europe/Berlin', []],
    ['2026-10-25T02:30:00', 'Europe/Berlin', ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']],
    ['2026-10-25T03:00:00', 'Europe/Berlin', ['2026-10-25T02:00:00.000Z']],
    ['2021-03-22T00:00:00', 'Asia/Tehran', []],
    ['2020-11-01T00:30:00', 'America/Havana', ['2020-11-01T04:30:00.000Z', '2020-11-01T05:30:00.000Z']],
    ['2026-04-05T01:45:00', 'Australia/Lord_Howe', ['2026-04-04T14:45:00.000Z', '2026-04-04T15:15:00.000Z']],
    ['2011-12-30T12:00:00', 'Pacific/Apia', []],
  ])('of %s in %s are %j', (wall, place, instants) => {
    expect(instantsOf(Date.parse(`${wall}Z`), place).map((instant) => new Date(instant).toISOString())).toEqual(instants);
  });

  it('include every instant that shows this time', () => {
    const minute = fc.integer({ min: Date.UTC(1990, 0, 1) / 60_000, max: Date.UTC(2037, 0, 1) / 60_000 });
    fc.assert(
      fc.property(minute, zone, (minutes, place) => {
        const instant = minutes * 60_000;
        expect(instantsOf(Date.parse(`${wallClock(instant, place)}Z`), place)).toContain(instant);
      }),
    );
  });
});
