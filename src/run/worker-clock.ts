import { performance } from 'node:perf_hooks';
import type { ScoredFile } from '../domain/attempt.ts';
import type { WorkerTime } from '../domain/worker-time.ts';

/** Measures how chunk workers spend their time. Runs on the main thread, which also sees them wait. */
export class WorkerClock {
  readonly #workers: number;
  readonly #began = performance.now();
  readonly #loop = performance.eventLoopUtilization();
  readonly #spent = { start: 0, read: 0, encode: 0, model: 0, write: 0, stage: 0 };
  #rows = 0;

  /** @param workers number of threads, from now on */
  constructor(workers: number) {
    this.#workers = workers;
  }

  /** @param seconds from handing the chunk to a worker until its file was complete */
  scored({ rows, seconds: { read, encode, score, write } }: ScoredFile, seconds: number): void {
    this.#rows += rows;
    this.#spent.read += read;
    this.#spent.encode += encode;
    this.#spent.model += score;
    this.#spent.write += write;
    // A worker gets its first chunk while it is still starting, so the rest is start time. It reports all other time itself.
    this.#spent.start += Math.max(0, seconds - read - encode - score - write);
  }

  /** Times a worker's wait for its file to be staged. */
  async staging(work: () => Promise<void>): Promise<void> {
    const start = performance.now();
    try {
      await work();
    } finally {
      this.#spent.stage += (performance.now() - start) / 1000;
    }
  }

  /** Time so far. Whatever was not counted is waiting. */
  get time(): WorkerTime {
    const total = (this.#workers * (performance.now() - this.#began)) / 1000;
    const counted = Object.values(this.#spent).reduce((sum, seconds) => sum + seconds, 0);
    return {
      workers: this.#workers,
      rows: this.#rows,
      seconds: { ...this.#spent, wait: Math.max(0, total - counted) },
      main_thread: performance.eventLoopUtilization(this.#loop).active / 1000,
    };
  }
}
