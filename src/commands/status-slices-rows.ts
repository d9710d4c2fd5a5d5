import { priceOf } from '../domain/cost.ts';
import { isOfRun, type StateOfRun } from '../domain/deliveries.ts';
import { isSuperseded, type LedgerEntry, lastPublished, type Publication, type Run, runsOf } from '../domain/ledger.ts';
import type { SliceDetails } from '../domain/slice.ts';
import { isUnfinished } from './status-rows.ts';

/** A run that is a slice. */
interface SliceRun extends Run {
  readonly state: StateOfRun;
  /** Number of its publication; undefined if it has none. */
  readonly number: number | undefined;
  readonly slice: SliceDetails;
}

/** Runs that are slices, in the order in which they began. @param entries in the order in which they were written */
export function slicesOf(entries: readonly LedgerEntry[]): SliceRun[] {
  const numbers = new Map<string, number>();
  for (const { runId, publication } of entries) if (publication !== undefined) numbers.set(runId, publication);
  return runsOf(entries)
    .filter(isOfRun)
    .flatMap((run) => {
      const { slice } = run.details;
      return slice === undefined ? [] : [{ ...run, slice, number: numbers.get(run.runId) }];
    })
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/** The newest published slice. @param entries from the newest publication on are enough */
export function positionNow(entries: readonly LedgerEntry[], now: number) {
  const last = lastPublished(entries);
  if (last?.publication === undefined || last.details.slice === undefined) return undefined;
  const { slice, slice_outcome: outcome } = last.details;
  return {
    number: last.publication,
    run_id: last.runId,
    as_of: slice.as_of,
    age_seconds: Math.round((now - millis(slice.as_of)) / 1000),
    recorded_at: last.recordedAt,
    users: outcome?.users ?? null,
    other_model: outcome?.other_model ?? null,
    last_full: outcome?.last_full ?? null,
    model: last.model,
  };
}

export type ShownPosition = NonNullable<ReturnType<typeof positionNow>>;

/** @param position the current publication; `usdPerTib` price of 2^40 bytes */
export function describeSlice(run: SliceRun, position: Pick<Publication, 'number' | 'runId'> | undefined, usdPerTib: number) {
  const { slice, details, number } = run;
  const { slice_outcome: outcome, estimated_bytes: bytes } = details;
  const unfinished = isUnfinished(run);
  const lost = unfinished && isSuperseded(run, position);
  return {
    number: number ?? null,
    run_id: run.runId,
    state: run.state,
    current: number !== undefined && number === position?.number,
    unfinished: unfinished && !lost,
    lost,
    kind: slice.kind,
    as_of: slice.as_of,
    boundary: slice.boundary,
    changed_keys: outcome?.changed_keys ?? null,
    scored: outcome?.scored ?? null,
    unchanged: outcome?.unchanged ?? null,
    quarantined: outcome?.quarantined ?? null,
    deleted: outcome?.deleted ?? null,
    started_at: run.startedAt,
    started_on: run.startedOn,
    recorded_at: run.recordedAt,
    seconds: details.seconds ?? null,
    bytes: bytes ?? null,
    usd: bytes === undefined ? null : priceOf(bytes, usdPerTib),
    error: run.state === 'failed' || run.state === 'refused' ? (details.error ?? null) : null,
  };
}

export type ShownSlice = ReturnType<typeof describeSlice>;

/** Epoch milliseconds of an instant with microseconds. */
function millis(instant: string): number {
  return Date.parse(instant.replace(/(\.\d{3})\d*Z$/, '$1Z'));
}
