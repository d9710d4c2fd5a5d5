import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../../src/domain/window.ts';
import { mondayOf, plusDays } from '../../src/window/calendar.ts';
import { dayWindow, hourWindow, previousWindow, weekWindow, wholeDays, windowOf } from '../../src/window/window.ts';

const HOUR = 3_600_000;
const hours = ({ start, end }: Window): number => (end.getTime() - start.getTime()) / HOUR;

const zone = fc.constantFrom(
  'Europe/Berlin',
  'Asia/Tehran',
  'America/Havana',
  'America/Goose_Bay',
  'Australia/Lord_Howe',
  'Pacific/Apia',
);
const date = fc
  .integer({ min: Date.UTC(1985, 0, 1) / (24 * HOUR), max: Date.UTC(2037, 0, 1) / (24 * HOUR) })
  .map((day) => new Date(day * 24 * HOUR).toISOString().slice(0, 10));

it.each([
  ['2026-03-23', 'Europe/Berlin', 167, 'the clocks go forward'],
  ['2026-10-19', 'Europe/Berlin', 169, 'the clocks go back'],
  ['2026-11-16', 'Europe/Berlin', 168, 'nothing happens'],
  ['2021-03-22', 'Asia/Tehran', 167, 'the first midnight is skipped'],
  ['2020-10-26', 'America/Havana', 169, 'the last midnight exists twice'],
  ['2011-12-26', 'Pacific/Apia', 144, 'a day is left out'],
])('gives the week of %s in %s %i hours: %s', (monday, place, length) => {
  const window = weekWindow(monday, place);
  expect([window.kind, hours(window)]).toEqual(['week', length]);
});

describe('names a range by what it is, whatever flags gave it', () => {
  const at = (text: string): number => Date.parse(text);
  it.each([
    ['2026-11-15T23:00:00Z', '2026-11-22T23:00:00Z', 'week', '2026-W47', 'a whole ISO week'],
    ['2026-11-16T23:00:00Z', '2026-11-23T23:00:00Z', 'ad hoc', '2026-11-17_2026-11-24', 'seven days from a Tuesday'],
    ['2026-11-15T23:00:00Z', '2026-11-29T23:00:00Z', 'ad hoc', '2026-11-16_2026-11-30', 'two weeks'],
    ['2026-11-17T23:00:00Z', '2026-11-18T23:00:00Z', 'day', '2026-11-18', 'a whole day'],
    ['2026-11-17T22:00:00Z', '2026-11-18T22:00:00Z', 'ad hoc', '20261117T220000Z_20261118T220000Z', 'a day long, from 23:00'],
    ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 'day', '2026-03-29', 'a day of 23 hours'],
    ['2026-11-18T08:00:00Z', '2026-11-18T09:00:00Z', 'hour', '2026-11-18T09', 'a whole hour'],
    ['2026-11-18T08:30:00Z', '2026-11-18T09:30:00Z', 'ad hoc', '20261118T083000Z_20261118T093000Z', 'an hour from half past'],
    ['2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z', 'hour', '2026-10-25T02+0200', 'the first of two equal hours'],
    ['2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z', 'hour', '2026-10-25T02+0100', 'the second of two equal hours'],
    ['2026-11-18T08:00:00Z', '2026-11-18T08:00:00.250Z', 'ad hoc', '20261118T080000Z_20261118T080000.250Z', 'milliseconds'],
  ])('names %s to %s as %s %s: %s', (start, end, kind, label) => {
    expect(windowOf(at(start), at(end), 'Europe/Berlin')).toMatchObject({ kind, label });
  });

  it('starts an hour with the zone’s hour, not with that of UTC', () => {
    expect(hourWindow(at('2026-11-18T08:15:00Z'), 'Asia/Kathmandu')).toMatchObject({ kind: 'hour', label: '2026-11-18T14' });
  });
});

it('gives every window of a kind its own label, safe in a file name', () => {
  fc.assert(
    fc.property(zone, fc.integer({ min: 0, max: 24 * 365 * 2 }), (place, hour) => {
      const start = Date.parse('2025-01-01T00:00:00Z') + hour * HOUR;
      const [one, next] = [windowOf(start, start + HOUR, place), windowOf(start + HOUR, start + 2 * HOUR, place)];
      expect(one.label).toMatch(/^[\w.+-]+$/);
      expect(one.label).not.toBe(next.label);
    }),
  );
});

describe('weeks and days tile the time line without gap or overlap', () => {
  it.each([
    ['week', weekWindow, mondayOf, 7],
    ['day', dayWindow, (day: string) => day, 1],
  ] as const)('%s after the other', (kind, make, firstDay, length) => {
    fc.assert(
      fc.property(date, zone, (day, place) => {
        const first = firstDay(day);
        const window = make(first, place);
        const next = make(plusDays(first, length), place);
        expect(next.start).toEqual(window.end);
        // A skipped day has no instants and no kind.
        if (hours(window) > 0) {
          expect(window.kind).toBe(kind);
          expect(wholeDays(window)?.start).toBe(first);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the previous window', () => {
  it.each([
    ['2026-W02', '2026-W01', weekWindow('2026-01-05', 'Europe/Berlin')],
    ['2021-W12', '2021-W11', weekWindow('2021-03-22', 'Asia/Tehran')],
    ['2026-03-30', '2026-03-29', dayWindow('2026-03-30', 'Europe/Berlin')],
    // 30 December 2011 does not exist there, so the previous day is the 29th.
    ['2011-12-31', '2011-12-29', dayWindow('2011-12-31', 'Pacific/Apia')],
    ['2026-10-25T03', '2026-10-25T02+0100', hourWindow(Date.parse('2026-10-25T02:00:00Z'), 'Europe/Berlin')],
    ['an ad hoc one', undefined, windowOf(0, 12 * HOUR, 'UTC')],
  ])('of %s is %s', (_, label, window) => {
    expect(previousWindow(window)?.label).toBe(label);
  });

  it('is of the same kind and ends where this one starts', () => {
    const window = fc
      .tuple(date, zone, fc.boolean())
      .map(([day, place, weekly]) => (weekly ? weekWindow(mondayOf(day), place) : dayWindow(day, place)))
      .filter((made) => hours(made) > 0);
    fc.assert(
      fc.property(window, (made) => {
        const before = previousWindow(made);
        expect([before?.kind, before?.end]).toEqual([made.kind, made.start]);
      }),
      { numRuns: 500 },
    );
  });
});

it('has dates only if it consists of whole days', () => {
  expect(wholeDays(weekWindow('2011-12-26', 'Pacific/Apia'))).toEqual({ start: '2011-12-26', end: '2012-01-02' });
  expect(wholeDays(hourWindow(Date.parse('2026-11-18T08:00:00Z'), 'UTC'))).toBeUndefined();
  expect(wholeDays(windowOf(Date.parse('2026-11-18T00:00:00Z'), Date.parse('2026-11-19T00:00:01Z'), 'UTC'))).toBeUndefined();
});
