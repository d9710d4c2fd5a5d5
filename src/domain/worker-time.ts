import { counted } from './counted.ts';

/**
 * How chunk workers spend their time: `start` (thread, model session, database), `read` a chunk, `encode` its features, run
 * the `model`, `write` the scored file, wait until it is staged (`stage`), and `wait` for a chunk or for the other workers
 * to finish.
 */
const PARTS = ['start', 'read', 'encode', 'model', 'write', 'stage', 'wait'] as const;
export type WorkerPart = (typeof PARTS)[number];

/** How the stage `score` spends its time. Workers run in parallel, so their seconds add up to more than wall-clock time. */
export interface WorkerTime {
  /** Chunk workers of the last process that scored. */
  readonly workers: number;
  /** Rows that the workers processed, quarantined ones included. */
  readonly rows: number;
  /** Seconds summed over all workers; in total, the number of workers times the stage's seconds. */
  readonly seconds: Readonly<Record<WorkerPart, number>>;
  /** Seconds that the main thread was busy during the stage. They should be a tiny share of it. */
  readonly main_thread: number;
}

export const NO_WORKER_TIME: WorkerTime = {
  workers: 0,
  rows: 0,
  seconds: { start: 0, read: 0, encode: 0, model: 0, write: 0, stage: 0, wait: 0 },
  main_thread: 0,
};

/** Sums the time of two processes of one run. @param later sets the number of workers */
export function addWorkerTime(earlier: WorkerTime, later: WorkerTime): WorkerTime {
  const sums = PARTS.map((part) => [part, toMicroseconds(earlier.seconds[part] + later.seconds[part])]);
  return {
    workers: later.workers,
    rows: earlier.rows + later.rows,
    seconds: Object.fromEntries(sums) as WorkerTime['seconds'],
    main_thread: toMicroseconds(earlier.main_thread + later.main_thread),
  };
}

/** Each part's share of the workers' time; all 0 if there is none. */
export function workerShares({ seconds }: WorkerTime): Readonly<Record<WorkerPart, number>> {
  const total = PARTS.reduce((sum, part) => sum + seconds[part], 0);
  return Object.fromEntries(PARTS.map((part) => [part, total === 0 ? 0 : seconds[part] / total])) as WorkerTime['seconds'];
}

/** `2 workers: start 10 %, read 20 %, …; main thread busy 1 %` @param stage wall-clock seconds of the stage `score` */
export function showWorkerTime(time: WorkerTime, stage: number): string {
  const shares = workerShares(time);
  const parts = PARTS.map((part) => `${part} ${percent(shares[part])}`).join(', ');
  const busy = stage === 0 ? 0 : time.main_thread / stage;
  return `${counted(time.workers, 'worker')}: ${parts}; main thread busy ${percent(busy)}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function toMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
