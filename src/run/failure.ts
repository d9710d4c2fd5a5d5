import type { Context } from '../context.ts';
import type { LedgerEntry, RunDetails } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { withoutSecrets } from '../secrets.ts';
import { entryOf, type Progress } from './progress.ts';

/** A refusal is final: data or limits must change first. Anything else can be resumed. Best effort: the error itself counts. */
export async function recordFailure(plan: Plan, progress: Progress, error: unknown, { console }: Context): Promise<void> {
  const kind = error instanceof ScoreBatchError ? error.kind : undefined;
  const state = kind === 'refused' ? 'refused' : kind === 'nothing to score' ? 'skipped' : 'failed';
  try {
    await plan.ledger.append(entryOf(plan, progress, state, detailsOf(progress, error)));
  } catch (cause) {
    console.debug(`the ledger could not be told: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** The entry of a run that was refused, for who holds the ledger. */
export function refusedEntry(plan: Plan, progress: Progress, error: unknown): LedgerEntry {
  return entryOf(plan, progress, 'refused', detailsOf(progress, error));
}

function detailsOf({ details, clock }: Progress, error: unknown): RunDetails {
  const message = error instanceof Error ? error.message : String(error);
  const more = error instanceof ScoreBatchError ? error.details : [];
  return { ...details, seconds: clock.seconds, error: withoutSecrets([message, ...more].join('; ')) };
}
