import { backoff, type Pace, sleep } from './pace.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface Patience {
  readonly pace: Pace;
  readonly budget: RetryBudget;
  readonly signal: AbortSignal;
}

/**
 * Waits until what failed may be done once more.
 *
 * @param failures how often it has failed, this time included
 * @param asked milliseconds that the server asked for
 * @throws the error itself where it has failed often enough; ScoreBatchError `unavailable` where too much has; the signal's reason
 */
export async function beforeRetry(
  { pace, budget, signal }: Patience,
  failures: number,
  error: unknown,
  asked?: number,
): Promise<void> {
  signal.throwIfAborted();
  if (failures >= pace.attempts) throw error;
  budget.spend(error);
  await sleep(backoff(pace, failures, asked), signal);
}
