import { showBytes } from '../domain/cost.ts';
import { counted } from '../domain/counted.ts';
import { amount, percent, rowsText, span, wrapped } from './amounts.ts';
import type { Freshness } from './freshness.ts';
import type { Batch, Interval } from './intervals.ts';
import type { Estimate, Line } from './line.ts';
import { sliceOf } from './notes.ts';
import type { Profile } from './profile.ts';

/** Lays out rows under a header; see `alignTable` of the terminal. */
export type Align = (header: readonly string[], rows: readonly (readonly string[])[]) => string;

export interface ProfileText {
  readonly profile: Profile;
  /** What was profiled, one line each. */
  readonly heading: readonly string[];
  readonly notes: readonly string[];
  readonly freshness: Freshness | undefined;
  /** What to do next; undefined if there is nothing. */
  readonly offer: string | undefined;
}

/** A profile for a terminal of 80 columns. */
export function showProfile({ profile, heading, notes, freshness, offer }: ProfileText, align: Align): string {
  const { seconds, bytes, batch, intervals, noun } = profile;
  const slice = sliceOf(intervals, batch);
  return [
    heading.map((line) => wrapped(line, 80, '  ')).join('\n'),
    ...(profile.stages.length === 0 ? [] : [showStages(profile, align)]),
    ...(seconds === undefined ? [] : [showLine('seconds', seconds, noun, (value) => `${amount(value)} s`)]),
    ...(bytes === undefined ? [] : [showLine('bytes read', bytes, noun, showSignedBytes)]),
    ...(slice === undefined || batch === undefined ? [] : [showSlice(slice, batch, align)]),
    ...(freshness === undefined ? [] : [showFreshness(freshness, profile)]),
    ...(notes.length === 0 ? [] : [notes.map((note) => wrapped(note)).join('\n')]),
    ...(offer === undefined ? [] : [offer]),
  ].join('\n\n');
}

function showStages({ stages, bottleneck, samples, noun }: Profile, align: Align): string {
  const fitted = stages.some(({ fixed }) => fixed !== null);
  const table = align(
    ['stage', 'seconds', 'share %', 's per 1,000 rows', ...(fitted ? ['fixed s'] : [])],
    stages.map(({ stage, seconds, share, per_1000_rows, fixed }) => [
      stage.replace('_', ' '),
      seconds.toFixed(3),
      (100 * share).toFixed(1),
      per_1000_rows.toFixed(3),
      ...(fixed === null ? [] : [fixed.toFixed(3)]),
    ]),
  );
  const what = samples.length === 1 ? `one ${noun}` : `medians of ${counted(samples.length, noun)}`;
  return [
    table,
    `(${what}${fitted ? '; fixed: the part that does not depend on the rows' : ''})`,
    ...(bottleneck === undefined
      ? []
      : [`The bottleneck is ${bottleneck.stage.replace('_', ' ')}: ${percent(bottleneck.share)} of a ${noun}.`]),
  ].join('\n');
}

function showLine(
  what: string,
  { fixed, per_row, points }: Line,
  noun: Profile['noun'],
  show: (value: number) => string,
): string {
  const thousand: Estimate = {
    ...per_row,
    value: per_row.value * 1000,
    low: per_row.low * 1000,
    high: per_row.high * 1000,
  };
  return [
    `${what} = fixed + per row × rows (${counted(points, noun)}, 90 % intervals)`,
    `  fixed           ${showEstimate(fixed, show)}`,
    `  per 1,000 rows  ${showEstimate(thousand, show)}`,
  ].join('\n');
}

function showEstimate({ value, low, high, above_zero }: Estimate, show: (value: number) => string): string {
  return `${show(value)} (${show(low)} to ${show(high)})${above_zero ? '' : ', includes 0'}`;
}

function showSignedBytes(bytes: number): string {
  return bytes < 0 ? `-${showBytes(-bytes)}` : showBytes(bytes);
}

function showSlice(slice: Interval, batch: Batch, align: Align): string {
  const priced = batch.usd !== null && slice.usd_per_window !== null;
  const name = { week: 'weekly batch', day: 'daily batch', hour: 'hourly batch', 'ad hoc': 'batch' }[batch.kind];
  return align(
    ['', 'runs', 'rows each', 's each', 'at most', 's in all', ...(priced ? ['USD in all'] : [])],
    [
      [
        name,
        '1',
        rowsText(batch.rows),
        amount(batch.seconds),
        '',
        amount(batch.seconds),
        ...(priced ? [amount(batch.usd ?? 0)] : []),
      ],
      [
        'hourly slices',
        String(slice.slices),
        rowsText(slice.rows),
        amount(slice.seconds),
        amount(slice.seconds_at_most),
        amount(slice.seconds_per_window),
        ...(priced ? [amount(slice.usd_per_window ?? 0)] : []),
      ],
    ],
  );
}

function showFreshness({ target_seconds, interval_minutes }: Freshness, { intervals, batch }: Profile): string {
  const target = span(target_seconds / 60);
  const chosen = intervals.find(({ minutes }) => minutes === interval_minutes);
  if (chosen === undefined)
    return wrapped(`freshness ${target}: the batch is enough, every ${span((batch?.hours ?? 0) * 60)}.`);
  const { minutes, seconds_at_most, slices, seconds_per_window } = chosen;
  return wrapped(
    `freshness ${target}: a slice every ${span(minutes)} is the cheapest. A row is at most ${span(minutes)} + ${amount(seconds_at_most)} s old; all ${slices} slices of a window take ${amount(seconds_per_window)} s.`,
  );
}
