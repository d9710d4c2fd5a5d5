import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mondayOf, plusDays, weekOf } from '../../src/window/calendar.ts';
import { windowFromFlags } from '../../src/window/flags.ts';
import { hourWindow, weekWindow, wholeDays } from '../../src/window/window.ts';

// Properties that hold for every zone over half a century. fast-check prints the seed of a failure.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Every window has ended by then. */
const NOW = Date.UTC(2040, 0, 1);

// Zones with rare clock changes are always included.
const RARE = [
  'Asia/Tehran', // skipped midnights
  'Australia/Lord_Howe', // half an hour of daylight saving
  'Pacific/Apia', // went without a day
  'America/Goose_Bay', // changed at 00:01
  'Asia/Kathmandu', // a quarter of an hour
  'Africa/Casablanca', // back and forth around Ramadan
  'Antarctica/Troll', // two hours of daylight saving
  'America/Sao_Paulo', // skipped midnights
  'Africa/Monrovia', // 44 minutes and 30 seconds until 1972
];
// The first use of a zone costs some milliseconds, so each test run covers about a hundred of them.
const zone = fc.oneof(fc.constantFrom(...RARE), fc.constantFrom(...Intl.supportedValuesOf('timeZone')));
const date = fc
  .integer({ min: Date.UTC(1975, 0, 1) / DAY, max: Date.UTC(2030, 0, 1) / DAY })
  .map((day) => new Date(day * DAY).toISOString().slice(0, 10));

const week = (text: string, place: string) => windowFromFlags({ week: text }, place, NOW);
const day = (text: string, place: string) => windowFromFlags({ date: text }, place, NOW);
const range = (from: string, to: string, place: string) => windowFromFlags({ from, to }, place, NOW);

describe('weeks', () => {
  it('tile the time line, are found by their labels, and equal the range of their days', () => {
    fc.assert(
      fc.property(date, zone, (some, place) => {
        const monday = mondayOf(some);
        const window = week(weekOf(monday), place);
        expect(window).toMatchObject({ kind: 'week', label: weekOf(monday) });
        expect(week(window.label, place)).toEqual(window);
        expect(range(monday, plusDays(monday, 7), place)).toEqual(window);
        expect(range(window.start.toISOString(), window.end.toISOString(), place)).toEqual(window);
        expect(week(weekOf(plusDays(monday, 7)), place).start).toEqual(window.end);
        expect(wholeDays(window)).toEqual({ start: monday, end: plusDays(monday, 7) });
      }),
      { numRuns: 200 },
    );
  });

  it('include a 53rd one in years that start or end on a Thursday', () => {
    for (let year = 1975; year < 2100; year += 1) {
      const thursdays = [`${year}-01-01`, `${year}-12-31`].map((text) => new Date(text).getUTCDay() === 4);
      const exists = () => week(`${year}-W53`, 'Asia/Kathmandu');
      if (thursdays.includes(true)) expect(exists()).toMatchObject({ kind: 'week', label: `${year}-W53` });
      else expect(exists).toThrow(expect.objectContaining({ kind: 'usage' }));
    }
  });
});

it('makes days that tile the time line, are found by their labels, and form their week', () => {
  fc.assert(
    fc.property(date, zone, (some, place) => {
      const monday = mondayOf(some);
      const whole = weekWindow(monday, place);
      const days = Array.from({ length: 7 }, (_, i) => plusDays(monday, i)).flatMap((text) => {
        // A skipped day is refused.
        try {
          return [day(text, place)];
        } catch (error) {
          expect(error).toMatchObject({ kind: 'usage', message: `the day ${text} does not exist in ${place}` });
          return [];
        }
      });
      expect(days.length).toBeGreaterThanOrEqual(6);
      let last = whole.start;
      for (const window of days) {
        expect(window.start).toEqual(last);
        expect(window.kind).toBe('day');
        expect(day(window.label, place)).toEqual(window);
        expect(range(window.label, window.end.toISOString(), place)).toEqual(window);
        last = window.end;
      }
      expect(last).toEqual(whole.end);
    }),
    { numRuns: 100 },
  );
});

it('makes hours that tile the time line, each with a unique label, and finds them by it unless the clocks show them twice', () => {
  const start = fc.integer({ min: Date.UTC(1975, 0, 1) / HOUR, max: Date.UTC(2030, 0, 1) / HOUR });
  fc.assert(
    fc.property(start, zone, (hours, place) => {
      // The hour of the zone that starts within this hour of UTC.
      const first = windowFromFlags({ hour: true }, place, (hours + 2) * HOUR - 1);
      const second = hourWindow(first.end.getTime(), place);
      expect(second.start).toEqual(first.end);
      expect(first.label).not.toBe(second.label);
      for (const window of [first, second].filter(({ kind }) => kind === 'hour')) {
        const [, wall, offset] = /^(\d{4}-\d{2}-\d{2}T\d{2})([+-]\d{4})?$/.exec(window.label) ?? [];
        const named = () => windowFromFlags({ hour: wall ?? '' }, place, NOW);
        if (offset === undefined) expect(named()).toEqual(window);
        else expect(named).toThrow(/exists twice/);
      }
    }),
    { numRuns: 300 },
  );
});
