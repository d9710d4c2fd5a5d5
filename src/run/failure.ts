import type { LedgerEntry } from '../domain/ledger.ts';
import type { RunDetails } from '../domain/run-details.ts';
import { ScoreBatchError } from '../errors.ts';
import { withoutSecrets } from '../secrets.ts';
import { type ActiveRun, entryOf, type Progress } from './progress.ts';

/**
 * Records how a run failed. A refused run is final: data or limits must change first. Any other failed run can be resumed.
 * Never throws, so that the caller can throw the error itself.
 */
export async function recordFailure(active: ActiveRun, error: unknown): Promise<void> {
  const kind = error instanceof ScoreBatchError ? error.kind : undefined;
  const state = kind === 'refused' ? 'refused' : kind === 'nothing to score' ? 'skipped' : 'failed';
  try {
    await active.plan.ledger.append(entryOf(active, state, detailsOf(active.progress, error)));
  } catch (cause) {
    active.context.console.debug(`could not write to the ledger: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** The entry of a refused run, for a caller that holds the ledger. */
export function refusedEntry(active: Pick<ActiveRun, 'plan' | 'progress'>, error: unknown): LedgerEntry {
  return entryOf(active, 'refused', detailsOf(active.progress, error));
}

function detailsOf({ details, clock }: Progress, error: unknown): RunDetails {
  const message = error instanceof Error ? error.message : String(error);
  const more = error instanceof ScoreBatchError ? error.details : [];
  return { ...details, seconds: clock.seconds, error: withoutSecrets([message, ...more].join('; ')) };
}
