import { currentPublication, type LedgerEntry, runsOf } from '../domain/ledger.ts';
import type { SliceDetails, SliceOutcome } from '../domain/slice.ts';

/** How far the slices of a job have come. */
export interface Position {
  /** Publication number of the newest slice. */
  readonly number: number;
  readonly runId: string;
  readonly slice: SliceDetails;
  readonly outcome: SliceOutcome | undefined;
  readonly model: LedgerEntry['model'];
  /** When it was published. */
  readonly recordedAt: string;
}

/** The newest published slice; undefined if there is none. @param entries of the slices' job */
export function positionOf(entries: readonly LedgerEntry[]): Position | undefined {
  const current = currentPublication(entries);
  const entry = entries.find(({ publication, runId }) => publication === current?.number && runId === current?.runId);
  const run = runsOf(entries).find(({ runId }) => runId === current?.runId);
  const slice = entry?.details.slice ?? run?.details.slice;
  if (current === undefined || entry === undefined || slice === undefined) return undefined;
  return {
    number: current.number,
    runId: current.runId,
    slice,
    outcome: entry.details.slice_outcome,
    model: entry.model,
    recordedAt: entry.recordedAt,
  };
}

/** Details of the unfinished slice after the position: it is resumed with its recorded spans. */
export function unfinishedSlice(entries: readonly LedgerEntry[], position: Position | undefined): SliceDetails | undefined {
  const follows = position?.number ?? null;
  const run = runsOf(entries).findLast(
    ({ state, details }) => (state === 'started' || state === 'failed') && details.slice?.follows === follows,
  );
  return run?.details.slice;
}
