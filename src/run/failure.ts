import type { Context } from '../context.ts';
import type { RunDetails } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { withoutSecrets } from '../secrets.ts';
import { entryOf, type Progress } from './progress.ts';

/** A refusal is final: data or limits must change first. Anything else is gone on with. Best effort: the error itself counts. */
export async function recordFailure(plan: Plan, progress: Progress, error: unknown, { console }: Context): Promise<void> {
  const kind = error instanceof ScoreBatchError ? error.kind : undefined;
  const state = kind === 'refused' ? 'refused' : kind === 'nothing to score' ? 'skipped' : 'failed';
  const message = error instanceof Error ? error.message : String(error);
  const more = error instanceof ScoreBatchError ? error.details : [];
  const details: RunDetails = {
    ...progress.details,
    seconds: progress.clock.seconds,
    error: withoutSecrets([message, ...more].join('; ')),
  };
  try {
    await plan.ledger.append(entryOf(plan, progress, state, details));
  } catch (cause) {
    console.debug(`the ledger could not be told: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
