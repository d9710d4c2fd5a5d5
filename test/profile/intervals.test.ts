import { describe, expect, it } from 'vitest';
import type { WindowKind } from '../../src/domain/window.ts';
import { freshnessOf } from '../../src/profile/freshness.ts';
import { notesOf } from '../../src/profile/notes.ts';
import { type ProfileOptions, profileOf } from '../../src/profile/profile.ts';
import type { Sample } from '../../src/profile/sample.ts';

const OPTIONS: ProfileOptions = { grain: 'week', usdPerTib: 6.25, changedShare: undefined, noun: 'run' };
const TIB = 2 ** 40;

/** A run of `fixed + per_row · rows` seconds, all of them in the stage `score`. */
function sample(
  rows: number,
  {
    fixed = 2,
    perRow = 0.001,
    bytes,
    kind = 'week',
  }: { fixed?: number; perRow?: number; bytes?: number; kind?: WindowKind } = {},
): Sample {
  const none = { plan: 0, freeze: 0, reconcile: 0, explain: 0, publish: 0, challenge: 0, report: 0, clean_up: 0 };
  return {
    window: { label: '2026-W01', kind, start: '2025-12-29T00:00:00.000Z', end: '2026-01-05T00:00:00.000Z' },
    rows,
    seconds: { ...none, score: fixed + perRow * rows },
    bytes,
  };
}

const WEEKS = [8400, 16800, 33600];
const profile = (options: Parameters<typeof sample>[1] = {}, more: Partial<ProfileOptions> = {}) =>
  profileOf(
    WEEKS.map((rows) => sample(rows, options)),
    { ...OPTIONS, ...more },
  );

describe('intervals', () => {
  it('cost what the line says for their share of the rows of the median batch', () => {
    const { batch, intervals, seconds } = profile({ bytes: TIB });
    expect(batch).toMatchObject({ kind: 'week', hours: 168, rows: 16_800, bytes: TIB, usd: 6.25 });
    expect(batch?.seconds).toBeCloseTo(18.8, 9);
    expect(intervals.map(({ minutes, slices, rows }) => [minutes, slices, Math.round(rows)])).toEqual([
      [15, 672, 25],
      [30, 336, 50],
      [60, 168, 100],
      [120, 84, 200],
      [180, 56, 300],
      [240, 42, 400],
      [360, 28, 600],
      [480, 21, 800],
      [720, 14, 1200],
      [1440, 7, 2400],
    ]);
    const hourly = intervals.find(({ minutes }) => minutes === 60);
    expect(hourly?.seconds).toBeCloseTo(2.1, 9);
    expect(hourly?.seconds_per_window).toBeCloseTo(168 * 2.1, 6);
    // A query that reads the same whatever the rows is paid as often as it runs.
    expect(hourly).toMatchObject({ bytes: TIB, bytes_per_window: 168 * TIB, usd_per_window: 168 * 6.25 });
    expect(seconds?.doubt).toBe(null);
  });

  it('follow the share of rows that an hour brings, up to all of them', () => {
    const rows = profile({}, { changedShare: 0.1 }).intervals.map((interval) => [interval.minutes, Math.round(interval.rows)]);
    expect(rows).toContainEqual([15, 420]);
    expect(rows).toContainEqual([60, 1680]);
    expect(rows).toContainEqual([720, 16_800]);
  });

  it('are no longer than the batch, which is a median of regular windows', () => {
    const days = [sample(10, { kind: 'day' }), sample(20, { kind: 'day' }), sample(90)];
    expect(profileOf(days, { ...OPTIONS, grain: 'day' }).batch).toMatchObject({ hours: 24, rows: 15 });
    expect(profileOf(days, { ...OPTIONS, grain: 'hour' }).batch).toMatchObject({ kind: 'week', hours: 168, rows: 90 });
    const hours = WEEKS.map((rows) => sample(rows, { kind: 'hour' }));
    expect(profileOf(hours, { ...OPTIONS, grain: 'hour' }).intervals.map(({ minutes }) => minutes)).toEqual([15, 30, 60]);
  });

  it('of measured slices are compared with the last one, the whole window', () => {
    expect(profile({}, { noun: 'slice' }).batch?.rows).toBe(33_600);
  });
});

describe('freshness', () => {
  it.each([
    [2 * 3600, 60],
    [2 * 3600 + 60, 120],
    [24 * 3600 + 60, 1440],
    [16 * 60, 15],
    [100 * 3600, 1440],
  ])('of %i seconds takes a slice every %i minutes', (target, minutes) => {
    expect(freshnessOf(profile(), target)).toEqual({
      ...{ target_seconds: target, batch_is_enough: false, interval_minutes: minutes },
    });
  });

  it('that the batch has takes no slices', () => {
    expect(freshnessOf(profile(), 169 * 3600)).toMatchObject({ batch_is_enough: true, interval_minutes: null });
  });

  it('that no interval has is refused, with the freshest that one has', () => {
    const refused = expect.objectContaining({
      kind: 'usage',
      message: 'no interval keeps every row younger than 15 min',
      hint: 'the shortest interval that works is every 15 min: use --freshness 16m',
    });
    expect(() => freshnessOf(profile(), 15 * 60)).toThrow(refused);
    expect(freshnessOf(profile(), 16 * 60)?.interval_minutes).toBe(15);
  });

  it('takes no interval whose slice would not end before the next begins', () => {
    const slow = profile({ fixed: 2000, perRow: 0.001 });
    expect(freshnessOf(slow, 2 * 3600)?.interval_minutes).toBe(60);
    expect(() => freshnessOf(slow, 3600)).toThrow(
      expect.objectContaining({ hint: 'the shortest interval that works is every 1 h: use --freshness 94m' }),
    );
    const slower = profile({ fixed: 100_000 });
    expect(() => freshnessOf(slower, 3600)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('make runs faster') }),
    );
  });

  it('uses the upper end of what a slice may take', () => {
    const noisy = profileOf(
      [8400, 16_800, 33_600, 25_000].map((rows, i) => sample(rows, { fixed: 300 + (i % 2) * 100 })),
      OPTIONS,
    );
    const hourly = noisy.intervals.find(({ minutes }) => minutes === 60);
    expect(hourly && hourly.seconds_at_most > hourly.seconds + 100).toBe(true);
    // By what a slice takes on average, a slice every hour would do.
    expect(freshnessOf(noisy, 3600 + (hourly?.seconds ?? 0) + 100)?.interval_minutes).toBe(30);
  });
});

describe('notes', () => {
  it('say what is assumed, and what lies outside of what was measured', () => {
    expect(notesOf(profile(), OPTIONS)).toEqual([
      'Assumed: rows arrive evenly over 168 h, each only once. Use --changed-share to give the share of the rows that an hour really brings.',
      'All hourly slices of a window take 353 s: 18.8 times as long as one batch.',
      'The smallest run had 8,400 rows; an hourly slice of 100 is outside the measured range.',
      'The ledger has no bytes read for these runs, so cost means seconds here.',
    ]);
  });

  it('say that too few row counts tell nothing', () => {
    const same = profileOf([sample(5), sample(5), sample(7)], OPTIONS);
    expect(same.intervals).toEqual([]);
    expect(notesOf(same, OPTIONS)).toEqual([
      'Separating the fixed part from the part per row takes runs with 3 different row counts; there are 3 runs with 2 different row counts.',
    ]);
    expect(notesOf(profileOf([sample(5)], OPTIONS), OPTIONS)[0]).toContain('there is 1 run with 1 different row count.');
  });
});
