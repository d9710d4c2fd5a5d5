import { performance } from 'node:perf_hooks';
import { afterEach, expect, it, vi } from 'vitest';
import { WorkerClock } from '../../src/run/worker-clock.ts';

afterEach(() => void vi.restoreAllMocks());

it('every second of every worker is in one part, and waiting is what nothing else took', async () => {
  let now = 5000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const clock = new WorkerClock(2);
  const chunk = (rows: number) => ({
    ...{ chunk: 0, attempt: 'a', file: 'a.parquet', provider: 'cpu', rows },
    seconds: { read: 1, encode: 0.5, score: 2, write: 0.25 },
  });
  clock.scored(chunk(70), 5);
  clock.scored(chunk(30), 3.75);
  await clock.staging(async () => {
    now += 500;
  });
  // A file that cannot be staged was waited for all the same.
  const failing = clock.staging(async () => {
    now += 1500;
    throw new Error('no room');
  });
  await expect(failing).rejects.toThrow('no room');
  now += 8000;
  const { main_thread, ...time } = clock.time;
  expect(time).toEqual({
    workers: 2,
    rows: 100,
    seconds: { start: 1.25, read: 2, encode: 1, model: 4, write: 0.5, stage: 2, wait: 9.25 },
  });
  expect(Object.values(time.seconds).reduce((sum, part) => sum + part, 0)).toBe(2 * 10);
});
