import { describe, expect, it } from 'vitest';
import type { Grain } from '../../src/domain/window.ts';
import { presentError } from '../../src/terminal/error.ts';
import { windowAt, windowsBetween } from '../../src/window/bulk.ts';

// A Tuesday.
const NOW = Date.parse('2026-11-24T08:00:00Z');

function labels(from: string, to: string, grain: Grain, zone = 'Europe/Berlin'): string[] {
  const windows = windowsBetween({ from, to }, grain, zone, NOW);
  // No gap and no overlap, except for a time that is in no whole hour.
  for (const [i, { start }] of windows.entries()) {
    if (i > 0) expect(start.getTime()).toBeGreaterThanOrEqual(windows[i - 1]?.end.getTime() ?? 0);
  }
  return windows.map(({ label }) => label);
}

function refused(from: string | undefined, to: string | undefined, grain: Grain = 'week'): string {
  try {
    windowsBetween({ from, to }, grain, 'Europe/Berlin', NOW);
  } catch (error) {
    const { text, exitCode } = presentError(error);
    return `${text} (${exitCode})`;
  }
  return 'not refused';
}

describe('names every window, both ends included,', () => {
  it('of weeks over the end of a year with 53 of them', () => {
    expect(labels('2020-W52', '2021-W02', 'week')).toEqual(['2020-W52', '2020-W53', '2021-W01', '2021-W02']);
    expect(labels('2026-W47', '2026-W47', 'week')).toEqual(['2026-W47']);
  });

  it('of days of 23 and 25 hours, and without a day that the zone skipped', () => {
    const windows = windowsBetween({ from: '2026-03-28', to: '2026-03-30' }, 'day', 'Europe/Berlin', NOW);
    expect(windows.map(({ label, start, end }) => [label, (end.getTime() - start.getTime()) / 3_600_000])).toEqual([
      ['2026-03-28', 24],
      ['2026-03-29', 23],
      ['2026-03-30', 24],
    ]);
    expect(labels('2011-12-29', '2011-12-31', 'day', 'Pacific/Apia')).toEqual(['2011-12-29', '2011-12-31']);
  });

  it('of hours that the clocks skip, show twice, or move by half', () => {
    expect(labels('2026-03-29T01', '2026-03-29T03', 'hour')).toEqual(['2026-03-29T01', '2026-03-29T03']);
    expect(labels('2026-10-25T01', '2026-10-25T03', 'hour')).toEqual([
      '2026-10-25T01',
      '2026-10-25T02+0200',
      '2026-10-25T02+0100',
      '2026-10-25T03',
    ]);
    expect(labels('2026-10-25T02+0100', '2026-10-25T03', 'hour')).toEqual(['2026-10-25T02+0100', '2026-10-25T03']);
    const half = labels('2026-10-04T00', '2026-10-04T04', 'hour', 'Australia/Lord_Howe');
    expect(half.filter((label) => !/^2026-10-04T0[0134]$/.test(label))).toEqual([]);
    expect(half).toContain('2026-10-04T03');
  });
});

it.each([
  ['hour', '2026-10-25T00:30:00Z', '2026-10-25T02+0200'],
  ['day', '2026-10-25T23:30:00Z', '2026-10-26'],
  ['week', '2026-10-25T22:59:59Z', '2026-W43'],
] as const)('finds the %s that %s is in', (grain, instant, label) => {
  expect(windowAt(Date.parse(instant), grain, 'Europe/Berlin').label).toBe(label);
});

it('refuses what names no windows, with a hint', () => {
  expect(
    [
      refused(undefined, '2026-W47'),
      refused('2026-W40', undefined),
      refused('2026-W40', '2026-11-18'),
      refused('2026-11-18', '2026-11-20'),
      refused('2026-W40', '2026-W45', 'day'),
      refused('2026-W45', '2026-W40'),
      refused('2026-W46', '2026-W48'),
      refused('2026-W53x', '2026-W54'),
      refused('2025-W53', '2026-W02'),
      refused('2026-02-30', '2026-03-01', 'day'),
      refused('2026-03-29T02', '2026-03-29T05', 'hour'),
      refused('2026-10-25T02', '2026-10-25T05', 'hour'),
      refused('2026-10-25T02+0300', '2026-10-25T05', 'hour'),
      refused('2026-10-25T24', '2026-10-26T05', 'hour'),
      refused('1990-01-01', '2026-01-01', 'day'),
    ].join('\n'),
  ).toMatchInlineSnapshot(`
    "error: --from is missing
    hint: name the first and the last week: --from 2026-W47 --to … (64)
    error: --to is missing
    hint: name the first and the last week: --from 2026-W47 --to … (64)
    error: --from 2026-W40 is a week, but --to 2026-11-18 is a day
    hint: this job runs every week: for 2026-11-18, write 2026-W47 (64)
    error: --from 2026-11-18 is a day, but this job runs every week
    hint: this job runs every week: for 2026-11-18, write 2026-W47 (64)
    error: --from 2026-W40 is a week, but this job runs every day
    hint: this job runs every day: for 2026-W40, write 2026-09-28 (64)
    error: --from 2026-W45 is after --to 2026-W40
    hint: put the earlier window in --from (64)
    error: the window 2026-W48 is still open: rows would be missing
    hint: the last complete week is 2026-W47 (64)
    error: --from 2026-W53x is not a week, a day or an hour
    hint: this job runs every week: write it like 2026-W47 (64)
    error: the week 2025-W53 does not exist
    hint: 2025 has the ISO weeks W01 to W52 (64)
    error: --from 2026-02-30 is not a calendar date
    hint: write it like 2026-11-18 (64)
    error: the hour 2026-03-29T02 does not exist in Europe/Berlin: the clocks skip it
    hint: choose the hour before or after it (64)
    error: the hour 2026-10-25T02 exists twice in Europe/Berlin: the clocks go back
    hint: write 2026-10-25T02+0200 or 2026-10-25T02+0100 (64)
    error: the hour 2026-10-25T02+0300 does not exist in Europe/Berlin
    hint: write 2026-10-25T02+0200 or 2026-10-25T02+0100 (64)
    error: --from 2026-10-25T24 is not an hour
    hint: write it like 2026-11-18T09 (64)
    error: 1990-01-01 to 2026-01-01 is more than 3,700 windows
    hint: run the range in several parts (64)"
  `);
});
