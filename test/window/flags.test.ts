import { describe, expect, it } from 'vitest';
import { presentError } from '../../src/terminal/error.ts';
import { refuseOpen, refusePart, type WindowFlags, windowFromFlags } from '../../src/window/flags.ts';
import { weekWindow, windowOf } from '../../src/window/window.ts';

const BERLIN = 'Europe/Berlin';
// Tuesday, half past midnight in Berlin, but still Monday in UTC.
const NOW = Date.parse('2026-11-23T23:30:00Z');

function labelOf(flags: WindowFlags, zone = BERLIN): string {
  const { kind, label } = windowFromFlags(flags, zone, NOW);
  return `${kind} ${label}`;
}

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const { text, exitCode } = presentError(error);
    return `${text}\nexit code ${exitCode}`;
  }
  return 'not refused';
}

it('takes the last complete window in the job’s zone for flags without a value', () => {
  expect([labelOf({ week: true }), labelOf({ date: true }), labelOf({ hour: true })]).toEqual([
    'week 2026-W47',
    'day 2026-11-23',
    'hour 2026-11-23T23',
  ]);
  expect([labelOf({ date: true }, 'UTC'), labelOf({ hour: true }, 'Asia/Kathmandu')]).toEqual([
    'day 2026-11-22',
    'hour 2026-11-24T04',
  ]);
});

it.each([
  [{ week: '2026-W53' }, 'week 2026-W53'],
  [{ date: '2026-03-29' }, 'day 2026-03-29'],
  [{ hour: '2026-11-18T09' }, 'hour 2026-11-18T09'],
  [{ hour: '2026-11-18T09:00' }, 'hour 2026-11-18T09'],
  [{ hour: '2026-11-18T09+0100' }, 'hour 2026-11-18T09'],
  [{ hour: '2026-10-25T02+0200' }, 'hour 2026-10-25T02+0200'],
  [{ hour: '2026-10-25T02:00+0100' }, 'hour 2026-10-25T02+0100'],
  [{ from: '2026-11-16', to: '2026-11-23' }, 'week 2026-W47'],
  [{ from: '2026-11-15T23:00:00Z', to: '2026-11-22T23:00:00Z' }, 'week 2026-W47'],
  [{ from: '2026-11-16T00:00:00+01:00', to: '2026-11-23T00:00:00+0100' }, 'week 2026-W47'],
  [{ from: '2026-11-18 00:00', to: '2026-11-19T00:00:00' }, 'day 2026-11-18'],
  [{ from: '2026-11-18T09:00', to: '2026-11-18T10:00' }, 'hour 2026-11-18T09'],
  [{ from: '2026-10-25T02:00+01:00', to: '2026-10-25T03:00+01:00' }, 'hour 2026-10-25T02+0100'],
  [{ from: '2026-11-01', to: '2026-11-04' }, 'ad hoc 2026-11-01_2026-11-04'],
  [{ from: '2026-11-01', to: '2026-11-01T06:30' }, 'ad hoc 20261031T230000Z_20261101T053000Z'],
] as const)('%o is the %s', (flags, window) => {
  expect(labelOf(flags)).toBe(window);
});

describe('refuses, with a hint,', () => {
  it('no window, two windows, half a window', () => {
    const flags: WindowFlags[] = [
      {},
      { week: true, date: '2026-11-18', from: '2026-11-18' },
      { from: '2026-11-18' },
      { to: '2026-11-18' },
    ];
    expect(flags.map((given) => refused(() => labelOf(given))).join('\n\n')).toMatchInlineSnapshot(`
      "error: no window given
      hint: choose one of --week, --date, --hour, or --from with --to
      exit code 64

      error: --week and --date and --from/--to cannot be combined: each names a window
      hint: choose one of --week, --date, --hour, or --from with --to
      exit code 64

      error: --from was given without --to
      hint: choose one of --week, --date, --hour, or --from with --to
      exit code 64

      error: --to was given without --from
      hint: choose one of --week, --date, --hour, or --from with --to
      exit code 64"
    `);
  });

  it('text that does not name a window', () => {
    const flags: WindowFlags[] = [
      { week: '2025-W53' },
      { week: '2026-47' },
      { date: '2026-02-29' },
      { hour: '2026-11-18T24' },
      { hour: '2026-11-18T09:30' },
      { from: 'yesterday', to: '2026-11-18' },
      { from: '2026-11-17', to: '2026-11-31' },
      { from: '2026-11-17', to: '2026-11-18T25:00' },
    ];
    expect(flags.map((given) => refused(() => labelOf(given))).join('\n\n')).toMatchInlineSnapshot(`
      "error: the week 2025-W53 does not exist
      hint: 2025 has the ISO weeks W01 to W52
      exit code 64

      error: --week 2026-47 is not an ISO week
      hint: write it like 2026-W47
      exit code 64

      error: --date 2026-02-29 is not a calendar date
      hint: write it like 2026-11-18
      exit code 64

      error: --hour 2026-11-18T24 is not an hour
      hint: write it like 2026-11-18T09
      exit code 64

      error: --hour 2026-11-18T09:30 is not an hour
      hint: write it like 2026-11-18T09
      exit code 64

      error: --from yesterday is neither a date nor an instant
      hint: write 2026-11-18, 2026-11-18T09:00 or 2026-11-18T09:00:00+01:00
      exit code 64

      error: --to 2026-11-31 is neither a date nor an instant
      hint: write 2026-11-18, 2026-11-18T09:00 or 2026-11-18T09:00:00+01:00
      exit code 64

      error: --to 2026-11-18T25:00 is neither a date nor an instant
      hint: write 2026-11-18, 2026-11-18T09:00 or 2026-11-18T09:00:00+01:00
      exit code 64"
    `);
  });

  it('times that the clocks of the zone skip or repeat', () => {
    const asked: [WindowFlags, string][] = [
      [{ hour: '2026-03-29T02' }, BERLIN],
      [{ hour: '2026-10-25T02' }, BERLIN],
      [{ hour: '2026-10-25T02+0300' }, BERLIN],
      [{ from: '2026-03-29T02:15', to: '2026-03-30' }, BERLIN],
      [{ from: '2026-10-25', to: '2026-10-25T02:45' }, BERLIN],
      [{ date: '2011-12-30' }, 'Pacific/Apia'],
    ];
    expect(asked.map(([given, zone]) => refused(() => labelOf(given, zone))).join('\n\n')).toMatchInlineSnapshot(`
      "error: the hour 2026-03-29T02 does not exist in Europe/Berlin: the clocks skip it
      hint: choose the hour before or after it
      exit code 64

      error: the hour 2026-10-25T02 exists twice in Europe/Berlin: the clocks go back
      hint: write 2026-10-25T02+0200 or 2026-10-25T02+0100
      exit code 64

      error: the hour 2026-10-25T02+0300 does not exist in Europe/Berlin
      hint: write 2026-10-25T02+0200 or 2026-10-25T02+0100
      exit code 64

      error: the instant 2026-03-29T02:15:00 does not exist in Europe/Berlin: the clocks skip it
      hint: choose a later instant
      exit code 64

      error: the instant 2026-10-25T02:45:00 exists twice in Europe/Berlin: the clocks go back
      hint: write --from and --to with an offset: it starts at 2026-10-25T02:45:00+02:00 or 2026-10-25T02:45:00+01:00
      exit code 64

      error: the day 2011-12-30 does not exist in Pacific/Apia
      hint: choose another day
      exit code 64"
    `);
  });

  it('a range that does not end after its start', () => {
    const flags: WindowFlags[] = [
      { from: '2026-11-18', to: '2026-11-18' },
      { from: '2026-11-19', to: '2026-11-18' },
      { from: '2026-11-18T00:00:00+01:00', to: '2026-11-17T23:00:00Z' },
    ];
    expect(flags.map((given) => refused(() => labelOf(given))).join('\n\n')).toMatchInlineSnapshot(`
      "error: --from 2026-11-18 is not before --to 2026-11-18
      hint: --to is exclusive: for one day write the day and the day after it
      exit code 64

      error: --from 2026-11-19 is not before --to 2026-11-18
      hint: --to is exclusive: for one day write the day and the day after it
      exit code 64

      error: --from 2026-11-18T00:00:00+01:00 is not before --to 2026-11-17T23:00:00Z
      hint: --to is exclusive: for one day write the day and the day after it
      exit code 64"
    `);
  });

  it('a window that ends after the last possible year', () => {
    for (const flags of [{ date: '9999-12-31' }, { week: '9999-W52' }]) {
      expect(refused(() => labelOf(flags))).toContain('exit code 64');
    }
  });

  it('a part of a window, where only whole ones are wanted', () => {
    const days = (start: string, end: string) => windowOf(Date.parse(start), Date.parse(end), 'America/New_York');
    // The week of a scheduler in UTC, and then in the job's zone, whose clocks change in it.
    expect(refused(() => refusePart(days('1997-03-31T00:00Z', '1997-04-07T00:00Z'), 'week'))).toMatchInlineSnapshot(`
      "error: the window 19970331T000000Z_19970407T000000Z is not a whole week in America/New_York, but this job runs every week
      hint: if a scheduler chose the window, give its schedule the job's time zone and length; without --whole, any window is allowed
      exit code 64"
    `);
    expect(() => refusePart(days('1997-03-31T05:00Z', '1997-04-07T04:00Z'), 'week')).not.toThrow();
    expect(() => refusePart(days('1997-03-31T05:00Z', '1997-04-01T05:00Z'), 'week')).toThrow('not a whole week');
    expect(() => refusePart(days('1997-03-31T05:00Z', '1997-04-01T05:00Z'), 'day')).not.toThrow();
  });

  it('a window that is still open, until the instant at which it ends', () => {
    const window = weekWindow('2026-11-16', BERLIN);
    expect(() => refuseOpen(window, Date.parse('2026-11-22T23:00:00Z'))).not.toThrow();
    expect(refused(() => refuseOpen(window, Date.parse('2026-11-22T22:59:59.999Z')))).toMatchInlineSnapshot(`
      "error: the window 2026-W47 is still open until 2026-11-23 00:00 (Europe/Berlin): rows would be missing
      hint: wait until it has ended, or add --allow-open
      exit code 64"
    `);
  });
});
