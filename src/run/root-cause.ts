import { currentPublication } from '../domain/ledger.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import { superseded } from '../warehouse/superseded.ts';
import { type ActiveRun, windowFilter } from './progress.ts';

/**
 * The error to report for a failed run. If another run has published the window since this one began, that is the cause,
 * whichever step failed: this run would have lost at the publish lock, and its scratch may be gone.
 *
 * @returns the error itself if no other run has published
 */
export async function rootCause(error: unknown, { plan, progress }: ActiveRun): Promise<unknown> {
  if (error instanceof Interrupted) return error;
  if (error instanceof ScoreBatchError && error.kind === 'nothing to score') return error;
  // If the ledger cannot be read either, report the first error.
  const entries = await plan.ledger.entries(windowFilter(plan)).catch(() => undefined);
  const current = entries && currentPublication(entries);
  const others = entries !== undefined && current?.runId !== progress.runId && current?.number !== progress.supersedes?.number;
  return others ? superseded(plan.window.label, current?.runId, error) : error;
}
