import type { RetryBudget } from './retry-budget.ts';
import { backoff, sleep, type Timeouts } from './timeouts.ts';

export interface RetryPolicy {
  readonly timeouts: Timeouts;
  readonly budget: RetryBudget;
  readonly signal: AbortSignal;
}

/**
 * Waits before the next attempt.
 *
 * @param failures number of failed attempts so far, this one included
 * @param requested minimum delay the server asked for, milliseconds
 * @throws the error itself after the last attempt; ScoreBatchError `unavailable` if the budget is used up; the signal's
 * reason if aborted
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
