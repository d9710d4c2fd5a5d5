import type { Delivery, DeliveryOutcome, Occasion, Target } from './delivery.ts';
import { type LedgerEntry, lastPublished, type RunState } from './ledger.ts';

/** A delivery as known so far. */
export interface KnownDelivery extends Delivery {
  readonly outcome: DeliveryOutcome;
  /** When this was recorded. */
  readonly at: string;
}

/** States of entries about messages. */
export const DELIVERY_STATES = ['delivering', 'undelivered', 'delivered'] as const;

/** States of a run. */
export type StateOfRun = Exclude<RunState, (typeof DELIVERY_STATES)[number]>;

export function isDelivery(state: RunState): boolean {
  return !isStateOfRun(state);
}

function isStateOfRun(state: RunState): state is StateOfRun {
  return !(DELIVERY_STATES as readonly string[]).includes(state);
}

/** Whether the entry belongs to a run, not to a message. */
export function isOfRun<T extends { readonly state: RunState }>(one: T): one is T & { readonly state: StateOfRun } {
  return isStateOfRun(one.state);
}

/** All deliveries in the order in which they were begun; `unknown` without an outcome. @param entries of one job */
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

/** A message to be sent. */
export interface Due {
  readonly target: Target;
  readonly occasion: Occasion;
  /** The entry of the publication that it reports. */
  readonly entry: LedgerEntry & { readonly publication: number };
  /** Publications of the window that the target may have heard of, oldest first. */
  readonly told: readonly ToldPublication[];
}

/**
 * The message due to a target about the current publication; undefined if none. A target hears of a window's first publication
 * if no later window is published, and of another one if what it was told no longer holds. It gets at most one message about a
 * publication, whatever its outcome, and none before the run has written its report: another process may still be writing the
 * page.
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

/** The first publication with the same content, which a rollback restored or a run published again. */
function contentNumber(entries: readonly LedgerEntry[], publication: number): number {
  const entry = entries.find((one) => one.state === 'published' && one.publication === publication);
  const before = entry?.details.rollback?.publication ?? entry?.details.repeats;
  return before === undefined || before >= publication ? publication : contentNumber(entries, before);
}
