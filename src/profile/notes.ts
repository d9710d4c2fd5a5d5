import { counted, grouped } from '../domain/counted.ts';
import { amount, percent, rowsText, span } from './amounts.ts';
import type { Batch, Interval } from './intervals.ts';
import { LEAST_ROW_COUNTS, type Line } from './line.ts';
import type { Profile, ProfileOptions } from './profile.ts';

/** What the numbers alone do not show: assumptions, doubts, and extrapolation beyond the measurements. */
export function notesOf(profile: Profile, { changedShare }: Pick<ProfileOptions, 'changedShare'>): string[] {
  const { seconds, bytes, batch, intervals, noun } = profile;
  if (profile.samples.length === 0) return [];
  if (seconds === undefined || batch === undefined) return [tooFew(profile)];
  const slice = sliceOf(intervals, batch);
  return [
    ...doubts('seconds', seconds),
    ...(bytes === undefined ? [] : doubts('bytes', bytes)),
    assumption(batch, changedShare),
    ...(slice === undefined ? [] : aboutSlice(slice, { batch, seconds, noun })),
    ...(bytes === undefined ? ['The ledger has no bytes read for these runs, so cost means seconds here.'] : []),
  ];
}

/** The slice to compare with the batch: an hour's, unless the batch is as short. */
export function sliceOf(intervals: readonly Interval[], batch: Batch | undefined): Interval | undefined {
  return batch === undefined || batch.hours <= 1 ? undefined : intervals.find(({ minutes }) => minutes === 60);
}

function tooFew({ samples }: Profile): string {
  const counts = [...new Set(samples.map(({ rows }) => rows))];
  const seen = `${counted(samples.length, 'run')} with ${counted(counts.length, 'different row count')}`;
  return `Separating the fixed part from the part per row takes runs with ${LEAST_ROW_COUNTS} different row counts; there ${samples.length === 1 ? 'is' : 'are'} ${seen}.`;
}

function doubts(unit: 'seconds' | 'bytes', { doubt, fixed, per_row, rows_min, rows_max }: Line): string[] {
  const range = `${grouped(rows_min)} to ${grouped(rows_max)}`;
  return [
    ...(doubt === 'alike'
      ? [
          `The row counts (${range}) are too alike to estimate the fixed part of the ${unit}: its interval is wider than its value. The cost of slices is a guess.`,
        ]
      : []),
    ...(doubt === 'scattered'
      ? [
          `The ${unit} are too scattered to estimate their fixed part: its interval is wider than its value. More runs narrow the interval.`,
        ]
      : []),
    ...(fixed.high < 0 || per_row.high < 0
      ? [`The ${unit} do not grow linearly: one part would be below 0. Do not trust estimates outside ${range} rows.`]
      : []),
  ];
}

function assumption({ hours }: Batch, changedShare: number | undefined): string {
  return changedShare === undefined
    ? `Assumed: rows arrive evenly over ${span(hours * 60)}, each only once. Use --changed-share to give the share of the rows that an hour really brings.`
    : `Assumed: an hour brings ${percent(changedShare)} of the rows of a window (--changed-share).`;
}

interface Compared {
  readonly batch: Batch;
  readonly seconds: Line;
  readonly noun: Profile['noun'];
}

function aboutSlice({ rows, seconds_per_window }: Interval, { batch, seconds, noun }: Compared): string[] {
  const times = batch.seconds === 0 ? '' : `: ${amount(seconds_per_window / batch.seconds)} times as long as one batch`;
  const outside =
    rows < seconds.rows_min
      ? `The smallest ${noun} had ${counted(seconds.rows_min, 'row')}`
      : rows > seconds.rows_max
        ? `The largest ${noun} had ${counted(seconds.rows_max, 'row')}`
        : undefined;
  return [
    `${seconds.doubt === 'alike' ? 'By this guess, all' : 'All'} hourly slices of a window take ${amount(seconds_per_window)} s${times}.`,
    ...(outside === undefined ? [] : [`${outside}; an hourly slice of ${rowsText(rows)} is outside the measured range.`]),
  ];
}
