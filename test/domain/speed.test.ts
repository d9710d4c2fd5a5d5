import { expect, it } from 'vitest';
import { bottleneck, ratesOf } from '../../src/domain/speed.ts';
import type { StageSeconds } from '../../src/domain/stages.ts';
import { addWorkerTime, NO_WORKER_TIME, showWorkerTime, type WorkerTime } from '../../src/domain/worker-time.ts';

const NONE: StageSeconds = {
  plan: 0,
  freeze: 0,
  score: 0,
  reconcile: 0,
  explain: 0,
  publish: 0,
  challenge: 0,
  report: 0,
  clean_up: 0,
};

/** Four workers for ten seconds. */
const TIME: WorkerTime = {
  workers: 4,
  rows: 1_000_000,
  seconds: { start: 1, read: 4, encode: 2, model: 20, write: 5, stage: 4, wait: 4 },
  main_thread: 0.4,
};

it.each<[Partial<StageSeconds>, Partial<WorkerTime['seconds']>, string]>([
  [{ score: 10, publish: 2 }, {}, 'the model (model 5.0 of 12.0 s, 42 %)'],
  // Forty seconds of workers are ten seconds of wall-clock time: writing exceeds the model only together with publishing.
  [{ score: 10, publish: 4 }, {}, 'writing (publish 4.0 + write 1.3 + stage 1.0 of 14.0 s, 45 %)'],
  [{ score: 10 }, { model: 0, read: 24 }, 'reading (read 6.0 of 10.0 s, 60 %)'],
  [{ score: 10 }, { model: 1, encode: 21 }, 'the features (encode 5.3 of 10.0 s, 53 %)'],
  [{ score: 10 }, { model: 1, wait: 23 }, 'idle workers (wait 5.8 of 10.0 s, 58 %)'],
  [{ score: 10, freeze: 6 }, {}, 'the query (freeze 6.0 of 16.0 s, 38 %)'],
  [{ score: 1, report: 3 }, {}, 'the report file (report 3.0 of 4.0 s, 75 %)'],
  [{ score: 1, plan: 0.9, reconcile: 0.1 }, {}, 'starting up (plan 0.9 of 2.0 s, 46 %)'],
  [{}, {}, 'starting up (plan 0.0 of 0.0 s, 0 %)'],
])('names the bottleneck for %o, %o: %s', (seconds, parts, text) => {
  expect(bottleneck({ ...NONE, ...seconds }, { ...TIME, seconds: { ...TIME.seconds, ...parts } })).toBe(text);
});

it('computes rates from wall-clock time, and the model rate from the workers’ time in the model', () => {
  const seconds = { ...NONE, score: 10, freeze: 10 };
  expect(ratesOf(1_000_000, seconds, TIME)).toEqual({ run: 50_000, score: 100_000, model: 200_000 });
  expect(ratesOf(0, NONE, NO_WORKER_TIME)).toEqual({ run: null, score: null, model: null });
});

it('adds up the time of several processes', () => {
  const sum = addWorkerTime(addWorkerTime(NO_WORKER_TIME, TIME), { ...TIME, workers: 2, rows: 5 });
  expect(sum).toEqual({
    workers: 2,
    rows: 1_000_005,
    seconds: { start: 2, read: 8, encode: 4, model: 40, write: 10, stage: 8, wait: 8 },
    main_thread: 0.8,
  });
});

it('shows shares, including that of the main thread', () => {
  expect(showWorkerTime(TIME, 10)).toBe(
    '4 workers: start 3 %, read 10 %, encode 5 %, model 50 %, write 13 %, stage 10 %, wait 10 %; main thread busy 4 %',
  );
});
