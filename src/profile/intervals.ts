import { priceOf } from '../domain/cost.ts';
import { totalSeconds } from '../domain/stages.ts';
import type { Grain } from '../domain/window.ts';
import { type Forecast, forecast, type Line, median } from './line.ts';
import type { Sample } from './sample.ts';

const HOUR = 3600;

/** Lengths of a slice that schedulers divide a day into, in minutes. */
const MINUTES = [15, 30, 60, 120, 180, 240, 360, 480, 720, 1440] as const;

const GRAIN_HOURS: Readonly<Record<Grain, number>> = { week: 168, day: 24, hour: 1 };

/** What the job does today: one run per window. */
export interface Batch {
  readonly kind: Sample['window']['kind'];
  /** Length of the window. */
  readonly hours: number;
  /** Medians over the runs of such windows. */
  readonly rows: number;
  readonly seconds: number;
  readonly bytes: number | null;
  readonly usd: number | null;
}

/** Cost of slices of one length. */
export interface Interval {
  readonly minutes: number;
  /** Slices per window of the batch. */
  readonly slices: number;
  /** Rows of one slice; may be below 1. */
  readonly rows: number;
  readonly seconds: number;
  /** Upper end of the 90 % prediction interval. */
  readonly seconds_at_most: number;
  /** How old a row can be before it is scored: the interval and `seconds_at_most`. */
  readonly oldest_seconds: number;
  readonly seconds_per_window: number;
  readonly bytes: number | null;
  readonly bytes_per_window: number | null;
  readonly usd_per_window: number | null;
}

/**
 * The batch to compare with: windows of the job's own length, or if there were none, the newest window.
 *
 * @param samples oldest first
 * @returns undefined without samples
 */
export function batchOf(samples: readonly Sample[], grain: Grain, usdPerTib: number): Batch | undefined {
  const regular = samples.filter(({ window }) => window.kind === grain);
  const compared = regular.length > 0 ? regular : samples.slice(-1);
  const window = compared.at(-1)?.window;
  if (window === undefined) return undefined;
  const known = compared.flatMap(({ bytes }) => bytes ?? []);
  const bytes = known.length === 0 ? null : median(known);
  return {
    kind: window.kind,
    // Ignores clock changes: this is about an ordinary week.
    hours:
      window.kind === 'ad hoc' ? (Date.parse(window.end) - Date.parse(window.start)) / 3_600_000 : GRAIN_HOURS[window.kind],
    rows: median(compared.map(({ rows }) => rows)),
    seconds: median(compared.map(({ seconds }) => totalSeconds(seconds))),
    bytes,
    usd: bytes === null ? null : priceOf(bytes, usdPerTib),
  };
}

export interface IntervalOptions {
  readonly batch: Batch;
  readonly seconds: Line;
  readonly bytes: Line | undefined;
  readonly usdPerTib: number;
  /** Share of the window's rows in an hour's slice; by default rows arrive evenly, and once. */
  readonly changedShare: number | undefined;
}

/** Cost of slices by their length, shortest first. None is longer than the window of the batch. */
export function intervalsOf({ batch, seconds, bytes, usdPerTib, changedShare }: IntervalOptions): Interval[] {
  return MINUTES.filter((minutes) => minutes <= batch.hours * 60).map((minutes) => {
    const share = Math.min(1, (changedShare ?? 1 / batch.hours) * (minutes / 60));
    const slices = Math.ceil((batch.hours * 60) / minutes);
    const rows = batch.rows * share;
    const spent: Forecast = forecast(seconds, rows);
    const read = bytes === undefined ? null : forecast(bytes, rows).cost;
    return {
      ...{ minutes, slices, rows },
      seconds: spent.cost,
      seconds_at_most: spent.at_most,
      oldest_seconds: minutes * 60 + spent.at_most,
      seconds_per_window: spent.cost * slices,
      bytes: read,
      bytes_per_window: read === null ? null : read * slices,
      usd_per_window: read === null ? null : priceOf(read * slices, usdPerTib),
    };
  });
}

/** The longest and so cheapest interval in which no row is older than the target; undefined if none is short enough. */
export function cheapestWithin(intervals: readonly Interval[], targetSeconds: number): Interval | undefined {
  // If a slice took longer than its interval, the next could not have begun.
  return intervals.findLast(
    ({ minutes, oldest_seconds, seconds_at_most }) => oldest_seconds <= targetSeconds && seconds_at_most <= minutes * 60,
  );
}

/** Whether the present batch keeps every row within the target. */
export function batchIsWithin({ hours, seconds }: Batch, targetSeconds: number): boolean {
  return hours * HOUR + seconds <= targetSeconds;
}
