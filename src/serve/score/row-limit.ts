import type { ColumnBatch } from '../../domain/column-batch.ts';
import type { ModelRun } from '../../model/model-run.ts';

/** Most milliseconds that a run may block the event loop. */
const MAX_RUN_MS = 50;

/** A run that takes this long predicts larger runs. */
const TELLING_MS = 10;

/** Enough for any web application, however fast the model. */
const MAX_ROWS = 16_384;

const TIMINGS = 3;

/** Most rows per run, and the time per row. */
export interface RowLimit {
  /** A power of two from 2 to 16,384; times the model's batch size if that is fixed. */
  readonly rows: number;
  readonly secondsPerRow: number;
}

/**
 * As many rows as are encoded and scored in 50 ms, measured with runs of golden rows that grow until one takes 10 ms. The
 * fastest of three timings counts.
 *
 * @param onCpu whether the model runs on this thread; if so, time that the machine gives to others does not count
 */
export async function measureRowLimit({ run, multiple }: ModelRun, golden: ColumnBatch, onCpu: boolean): Promise<RowLimit> {
  const clock = onCpu ? processorMs : () => performance.now();
  for (let rows = multiple; ; rows = Math.min(rows * 4, MAX_ROWS)) {
    const batches = Array.from({ length: Math.ceil(rows / golden.rows) }, () => golden);
    const scored = batches.length * golden.rows;
    const times: number[] = [];
    while (times.length < TIMINGS) {
      const start = clock();
      await run(batches);
      times.push(clock() - start);
    }
    const quickest = Math.min(...times);
    if (quickest < TELLING_MS && rows < MAX_ROWS) continue;
    return { rows: readable((scored * MAX_RUN_MS) / quickest, multiple), secondsPerRow: quickest / 1000 / scored };
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The multiple times the largest power of two such that the product is within `rows`. */
function readable(rows: number, multiple: number): number {
  let limit = multiple;
  while (limit * 2 <= Math.min(rows, MAX_ROWS)) limit *= 2;
  return limit;
}
