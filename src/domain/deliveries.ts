import type { Delivery, DeliveryOutcome, Occasion, Target } from './delivery.ts';
import { type LedgerEntry, lastPublished, type RunState } from './ledger.ts';

/** A delivery as it is known now. */
export interface KnownDelivery extends Delivery {
  readonly outcome: DeliveryOutcome;
  /** When that was recorded. */
  readonly at: string;
}

/** States of entries about messages. */
export const DELIVERY_STATES = ['delivering', 'undelivered', 'delivered'] as const;

/** What can become of a run. */
export type StateOfRun = Exclude<RunState, (typeof DELIVERY_STATES)[number]>;

export function isDelivery(state: RunState): boolean {
  return !isStateOfRun(state);
}

function isStateOfRun(state: RunState): state is StateOfRun {
  return !(DELIVERY_STATES as readonly string[]).includes(state);
}

/** Whether it is of a run, and not of a message. */
export function isOfRun<T extends { readonly state: RunState }>(one: T): one is T & { readonly state: StateOfRun } {
  return isStateOfRun(one.state);
}

/** All deliveries in the order in which they were begun. One without an outcome is `unknown`. @param entries of one job */
export function deliveriesOf(entries: readonly LedgerEntry[]): KnownDelivery[] {
  const known = new Map<string, KnownDelivery>();
  for (const { runId, state, details, recordedAt } of entries) {
    if (!isDelivery(state) || details.delivery === undefined) continue;
    known.set(runId, { ...details.delivery, outcome: details.delivery.outcome ?? 'unknown', at: recordedAt });
  }
  return [...known.values()];
}

/** A publication that a target may have heard of. */
export interface ToldPublication {
  readonly publication: number;
  readonly runId: string;
}

/** A message that is to be sent. */
export interface Due {
  readonly target: Target;
  readonly occasion: Occasion;
  /** The entry of the publication that it is about. */
  readonly entry: LedgerEntry & { readonly publication: number };
  /** Publications of the window that the target may have heard of, oldest first. */
  readonly told: readonly ToldPublication[];
}

/**
 * The message that a target is to get about the current publication; undefined if none. A target hears of a window's
 * first publication if no later window is published. It hears of another one if what it was told holds no longer. It gets at
 * most one message about a publication, whatever became of it, and none before the run has written its report: another process
 * may still be writing the page.
 *
 * @param entries all of one job and window
 * @param isNewest whether the job has published no later window of its kind
 */
export function dueMessage(entries: readonly LedgerEntry[], target: Target, isNewest: boolean): Due | undefined {
  const entry = lastPublished(entries);
  if (entry?.publication === undefined || entry.rows === undefined) return undefined;
  const { publication } = entry;
  const { rollback } = entry.details;
  const isWritten = entries.some(({ state, runId }) => state === 'completed' && runId === entry.runId);
  if (rollback === undefined && !isWritten) return undefined;
  const own = deliveriesOf(entries).filter((delivery) => delivery.target === target);
  if (own.some((delivery) => delivery.publication === publication)) return undefined;
  const told = own
    .filter(({ outcome }) => outcome !== 'failed')
    .map(({ publication: of, run_id }) => ({ publication: of, runId: run_id }));
  const due = { target, entry: { ...entry, publication }, told };
  const last = told.at(-1)?.publication;
  if (last === undefined) return isNewest && rollback === undefined ? { ...due, occasion: 'published' } : undefined;
  if (contentNumber(entries, last) === contentNumber(entries, publication)) return undefined;
  return { ...due, occasion: rollback === undefined ? 'published again' : 'rolled back' };
}

/** The first publication with the content of this one: of what a rollback restored, or a run has published again. */
function contentNumber(entries: readonly LedgerEntry[], publication: number): number {
  const entry = entries.find((one) => one.state === 'published' && one.publication === publication);
  const before = entry?.details.rollback?.publication ?? entry?.details.repeats;
  return before === undefined || before >= publication ? publication : contentNumber(entries, before);
}
