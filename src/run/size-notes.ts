import type { Context } from '../context.ts';
import { showBytes } from '../domain/cost.ts';
import { counted } from '../domain/counted.ts';
import type { Sizing } from '../sizing/run-sizing.ts';
import type { Progress } from './progress.ts';

// What people are told of sizes that are not what was asked for, or are no good.

/** Told where a device takes one worker and more were asked for. */
export function noteDevices(
  { load, requestedWorkers = 0 }: Sizing,
  provider: string,
  { console }: Pick<Context, 'console'>,
): void {
  if (load.workers < requestedWorkers)
    console.info(`${load.workers} of ${counted(requestedWorkers, 'worker')}: ${provider} takes one for each device`);
}

/**
 * @param workers that there are
 * @param bytes of memory that they had to fit into
 */
export function noteWorkers(
  workers: number,
  bytes: number,
  { load, cores }: Sizing,
  { console }: Pick<Context, 'console'>,
): void {
  if (workers < load.workers) {
    console.info(`${workers} of ${counted(load.workers, 'worker')}, since more do not fit into ${showBytes(bytes)} of memory`);
  } else if (load.workers > cores) {
    console.info(`${counted(load.workers, 'worker')} on ${counted(cores, 'processor')}, which are not faster than ${cores}`);
  }
}

/** Told once, and again only where it gets worse. */
export function noteHalved(provider: string, rows: number, progress: Progress, { console }: Pick<Context, 'console'>): void {
  const { batch_rows_halved_to: known = Number.POSITIVE_INFINITY } = progress.details;
  if (rows >= known) return;
  progress.details = { ...progress.details, batch_rows_halved_to: rows };
  console.info(
    `${provider} ran out of memory and goes on with batches of ${counted(rows, 'row')}; score.batch_rows: ${rows} saves the attempt`,
  );
}
