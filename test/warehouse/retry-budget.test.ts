import { expect, it } from 'vitest';
import { RetryBudget } from '../../src/warehouse/retry-budget.ts';

/** Failures until nothing is left, where that many requests succeed between two of them; as many as `most` at most. */
function lasting(successes: number, most = 10_000): number {
  const budget = new RetryBudget('BigQuery');
  for (let failures = 0; failures < most; failures += 1) {
    for (let i = 0; i < successes; i += 1) budget.earn();
    try {
      budget.spend(new Error('HTTP 503'));
    } catch {
      return failures;
    }
  }
  return most;
}

it('lasts for an outage, not for an unhealthy warehouse, and forever if one request in eleven fails', () => {
  expect(lasting(0)).toBe(50);
  expect(lasting(1)).toBe(55);
  expect(lasting(9)).toBeLessThan(1000);
  expect(lasting(10)).toBe(10_000);
});

it('says what failed last, and what to do', () => {
  const budget = new RetryBudget('BigQuery');
  const cause = new Error("backendError at 'jo@example.com'\nand more");
  for (let i = 0; i < 50; i += 1) budget.spend(cause);
  expect(() => budget.spend(cause)).toThrow(
    expect.objectContaining({
      kind: 'unavailable',
      message: 'too many requests to BigQuery failed: giving up',
      details: ["backendError at '…'"],
      hint: expect.stringContaining('run the same command again later'),
    }),
  );
});
