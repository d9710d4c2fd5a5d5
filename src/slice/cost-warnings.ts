import { type LedgerEntry, runsOf } from '../domain/ledger.ts';
import type { Grain, WindowKind } from '../domain/window.ts';
import type { Ledger } from '../warehouse/warehouse.ts';
import { bytesWarning, costShareOf, type RunCost } from './cost-share.ts';

const HOUR = 3_600_000;
/** Ignoring clock changes. */
const LENGTH_MS: Readonly<Record<Grain, number>> = { hour: HOUR, day: 24 * HOUR, week: 168 * HOUR };

/** The batch's newest run is among this many entries, even if it was retried, evaluated and compared many times. */
const NEWEST = 100;

export interface CostWarningsOptions {
  readonly ledger: Pick<Ledger, 'entries'>;
  /** Name of the batch's job, not of its slices. */
  readonly job: string;
  readonly every: Grain;
  /** `incremental.interval` in milliseconds. */
  readonly interval: number;
  readonly slice: RunCost;
  /** Milliseconds of data that the slice read: more than the interval after an outage. Undefined if it read all users. */
  readonly covered: number | undefined;
}

/**
 * Warnings about what the slice cost beyond its share of the batch. Slices of all users are exempt: they come once, or once a
 * day.
 *
 * @returns none without a published run of the batch
 */
export async function costWarnings(options: CostWarningsOptions): Promise<readonly string[]> {
  const { ledger, job, every, slice, covered } = options;
  if (covered === undefined) return [];
  const batch = batchCost(await ledger.entries({ job, states: ['published', 'completed'], newest: NEWEST }), every);
  if (batch === undefined) return [];
  const compared = { batch, slice, interval: Math.max(options.interval, covered), window: batch.window };
  return [costShareOf(compared)?.warning, bytesWarning(compared)].flatMap((warning) => warning ?? []);
}

interface BatchCost extends RunCost {
  /** Length of its window in milliseconds. */
  readonly window: number;
}

/** Cost of the newest run for a window of the job's grain, or for any window if there is none. */
export function batchCost(entries: readonly LedgerEntry[], every: Grain): BatchCost | undefined {
  const runs = runsOf(entries)
    .filter(({ state, details, rows }) => (state === 'published' || state === 'completed') && details.seconds && rows)
    .sort((a, b) => (a.recordedAt < b.recordedAt ? -1 : 1));
  const run = runs.findLast(({ window }) => window.kind === every) ?? runs.at(-1);
  const { seconds, estimated_bytes: bytes } = run?.details ?? {};
  if (run?.rows === undefined || seconds === undefined) return undefined;
  return { seconds, rows: run.rows.frozen, bytes, window: lengthOf(run.window) };
}

function lengthOf({ kind, start, end }: { readonly kind: WindowKind; readonly start: string; readonly end: string }): number {
  return kind === 'ad hoc' ? Date.parse(end) - Date.parse(start) : LENGTH_MS[kind];
}
