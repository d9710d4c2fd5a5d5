import { describe, expect, it, vi } from 'vitest';
import {
  abortAfterGracePeriod,
  backoff,
  DEFAULT_TIMEOUTS,
  readTimeouts,
  retryAfter,
  timeoutsOf,
} from '../../src/warehouse/timeouts.ts';

describe('SCORE_BATCH_REQUEST_SECONDS', () => {
  it('is the time that a request may take, and everything goes with it', () => {
    expect(readTimeouts({})).toBe(DEFAULT_TIMEOUTS);
    const timeouts = readTimeouts({ SCORE_BATCH_REQUEST_SECONDS: '6' });
    expect(timeouts).toEqual({
      attempts: 6,
      pause: 100,
      maxPause: 3200,
      poll: 200,
      request: 6000,
      upload: 60_000,
      silence: 6000,
      // What a job may take has nothing to do with what a request may.
      job: DEFAULT_TIMEOUTS.job,
    });
    // A job that runs is not looked at more seldom where requests may take longer.
    expect(timeoutsOf(600_000).poll).toBe(DEFAULT_TIMEOUTS.poll);
  });

  it.each(['0', '-1', 'soon', '3601', 'Infinity'])('is refused where it is %s', (text) => {
    expect(() => readTimeouts({ SCORE_BATCH_REQUEST_SECONDS: text })).toThrow(
      expect.objectContaining({ kind: 'usage', message: expect.stringContaining(text) }),
    );
  });
});

it('waits longer after each failure, never twice as long as another would, and never too long', () => {
  for (let failures = 1; failures < 20; failures += 1) {
    const full = Math.min(32_000, 1000 * 2 ** (failures - 1));
    const pauses = Array.from({ length: 200 }, () => backoff(DEFAULT_TIMEOUTS, failures));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(full / 2);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(full);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  }
});

it('waits as long as the server asks for, within the time that a request may take', () => {
  expect(backoff(DEFAULT_TIMEOUTS, 1, 5000)).toBe(5000);
  expect(backoff(DEFAULT_TIMEOUTS, 1, 3_600_000)).toBe(DEFAULT_TIMEOUTS.request);
  expect(backoff(DEFAULT_TIMEOUTS, 6, 10)).toBeGreaterThan(10_000);
});

it('reads seconds and dates of Retry-After, and nothing of what is neither', () => {
  vi.useFakeTimers({ now: new Date('2026-11-25T08:00:00Z'), toFake: ['Date'] });
  try {
    expect(retryAfter('7')).toBe(7000);
    expect(retryAfter('Wed, 25 Nov 2026 08:00:30 GMT')).toBe(30_000);
    for (const header of ['Wed, 25 Nov 2020 08:00:00 GMT', 'soon', '-3', '', undefined, ['7']])
      expect(retryAfter(header)).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

it('gives what must be written down some time after the end, and the same reason', () => {
  vi.useFakeTimers();
  try {
    const interruption = new AbortController();
    const [before, reason] = [abortAfterGracePeriod(interruption.signal), new Error('told to')];
    interruption.abort(reason);
    const after = abortAfterGracePeriod(interruption.signal);
    vi.advanceTimersByTime(14_000);
    expect([before.aborted, after.aborted]).toEqual([false, false]);
    vi.advanceTimersByTime(2000);
    expect([before.reason, after.reason]).toEqual([reason, reason]);
  } finally {
    vi.useRealTimers();
  }
});
