import { showBytes } from '../domain/cost.ts';
import { counted, grouped } from '../domain/counted.ts';
import { STAGES, type Stage, type StageSeconds, totalSeconds } from '../domain/stages.ts';

/** Cost of a run, from its ledger entry. */
export interface RunCost {
  readonly seconds: StageSeconds;
  /** Rows that the query returned. */
  readonly rows: number;
  /** Estimated bytes that the query read; undefined if the source cannot estimate them. */
  readonly bytes?: number | undefined;
}

export interface CostShareOptions {
  /** The newest published run of the batch; undefined if there is none. */
  readonly batch: RunCost | undefined;
  readonly slice: RunCost;
  /** Milliseconds that the slice covers, such as `incremental.interval`. */
  readonly interval: number;
  /** Length of the batch's window in milliseconds. */
  readonly window: number;
}

/** Cost of a slice relative to its share of the batch, in seconds. */
export interface CostShare {
  /** The batch's seconds for the interval, as if every hour of its window cost the same. */
  readonly share: number;
  /** The slice's time divided by its share. */
  readonly ratio: number;
  /** Seconds of the slice that do not depend on rows. */
  readonly fixed: number;
  /** Undefined if the slice took no more than its share. */
  readonly warning?: string;
}

/** Stages whose time hardly depends on the number of rows. */
const FIXED: readonly Stage[] = ['plan', 'reconcile', 'publish', 'clean_up'];

/** Shorter stages are not named, because they are not worth saving. */
const LEAST_SECONDS = 0.05;

const UNITS = [
  [604_800_000, 'week'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const;

/** Compares the seconds of a slice with its share of the batch. @returns undefined without a batch, or if it took no time */
export function costShareOf({ batch, slice, interval, window }: CostShareOptions): CostShare | undefined {
  const whole = batch === undefined ? 0 : totalSeconds(batch.seconds);
  if (whole <= 0) return undefined;
  const share = (whole * interval) / window;
  const taken = totalSeconds(slice.seconds);
  const ratio = taken / share;
  const fixed = FIXED.reduce((sum, stage) => sum + (slice.seconds[stage] ?? 0), 0);
  if (ratio <= 1) return { share, ratio, fixed };
  const compared = `${showTimes(ratio)} its share of the batch (${showSeconds(whole)} for ${showSpan(window)}, or ${showSeconds(share)} for ${showSpan(interval)})`;
  return {
    ...{ share, ratio, fixed },
    warning: `the slice took ${showSeconds(taken)}, ${compared}: ${showSeconds(fixed)} of that is fixed cost${namedStages(slice.seconds)}`,
  };
}

/** Compares the bytes that a slice read with its share of the batch. @returns a warning if it read more */
export function bytesWarning({ batch, slice, interval, window }: CostShareOptions): string | undefined {
  if (batch?.bytes === undefined || batch.bytes === 0 || slice.bytes === undefined) return undefined;
  const share = (batch.bytes * interval) / window;
  const ratio = slice.bytes / share;
  if (ratio <= 1) return undefined;
  const perRow = slice.rows === 0 || batch.rows === 0 ? '' : `; ${showPerRow(slice)}, the batch ${showPerRow(batch)}`;
  return `the slice read ${showBytes(slice.bytes)}, ${showTimes(ratio)} its share of the batch (${showBytes(batch.bytes)} for ${showSpan(window)}, or ${showBytes(Math.round(share))} for ${showSpan(interval)})${perRow}`;
}

/** ` (plan 0.9, publish 0.3)`, longest first */
function namedStages(seconds: StageSeconds): string {
  const named = STAGES.filter((stage) => FIXED.includes(stage) && (seconds[stage] ?? 0) >= LEAST_SECONDS)
    .sort((a, b) => (seconds[b] ?? 0) - (seconds[a] ?? 0))
    .map((stage) => `${stage.replace('_', ' ')} ${twoDigits(seconds[stage] ?? 0)}`);
  return named.length === 0 ? '' : ` (${named.join(', ')})`;
}

function showPerRow({ bytes = 0, rows }: RunCost): string {
  return `${showBytes(Math.round(bytes / rows))} a row`;
}

function showSeconds(seconds: number): string {
  return `${twoDigits(seconds)} s`;
}

function showTimes(ratio: number): string {
  return `${twoDigits(ratio)} times`;
}

/** `0.45`, `1.4`, `76`, `1,234` */
function twoDigits(value: number): string {
  return value >= 10 ? grouped(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** `a week`, `an hour`, `15 minutes`; `22.7 hours` unless it is whole minutes */
function showSpan(milliseconds: number): string {
  const whole = UNITS.find(([ms]) => milliseconds % ms === 0 && ms > 1000);
  const [length, unit] = whole ?? UNITS.find(([ms]) => milliseconds >= ms) ?? [1000, 'second'];
  const count = Math.round((milliseconds / length) * 10) / 10;
  if (count !== 1) return counted(count, unit);
  return unit === 'hour' ? 'an hour' : `a ${unit}`;
}
