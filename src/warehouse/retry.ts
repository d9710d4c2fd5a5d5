import type { RetryBudget } from './retry-budget.ts';
import { backoff, sleep, type Timeouts } from './timeouts.ts';

export interface RetryPolicy {
  readonly timeouts: Timeouts;
  readonly budget: RetryBudget;
  readonly signal: AbortSignal;
}

/**
 * Waits until what failed may be done once more.
 *
 * @param failures how often it has failed, this time included
 * @param requested milliseconds that the server asked for
 * @throws the error itself where it has failed often enough; ScoreBatchError `unavailable` where too much has; the signal's reason
 */
export async function beforeRetry(
  { timeouts, budget, signal }: RetryPolicy,
  failures: number,
  error: unknown,
  requested?: number,
): Promise<void> {
  signal.throwIfAborted();
  if (failures >= timeouts.attempts) throw error;
  budget.spend(error);
  await sleep(backoff(timeouts, failures, requested), signal);
}
