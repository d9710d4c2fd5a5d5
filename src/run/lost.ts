import { currentPublication } from '../domain/ledger.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { superseded } from '../warehouse/superseded.ts';
import { type Progress, windowFilter } from './progress.ts';

/**
 * What to tell of a run that failed. One whose window another run has published since it began could only have lost at the
 * gate, and what it had in scratch may be gone: that is why it failed, or was refused, whatever step noticed it.
 *
 * @returns the error as it is where nobody has published meanwhile
 */
export async function reasonOf(error: unknown, plan: Plan, progress: Progress): Promise<unknown> {
  if (error instanceof Interrupted) return error;
  if (error instanceof ScoreBatchError && error.kind === 'nothing to score') return error;
  // Where the ledger does not answer either, the first error counts.
  const entries = await plan.ledger.entries(windowFilter(plan)).catch(() => undefined);
  const current = entries && currentPublication(entries);
  const others = entries !== undefined && current?.runId !== progress.runId && current?.runId !== progress.supersedes?.runId;
  return others ? superseded(plan.window.label, current?.runId, error) : error;
}
