import type { Context } from '../context.ts';
import { showBytes } from '../domain/cost.ts';
import { counted } from '../domain/counted.ts';
import type { Sizing } from '../sizing/run-sizing.ts';
import type { ActiveRun } from './progress.ts';

// Notes about sizes that differ from what was requested, or that do not help.

/** Notes that a device takes fewer workers than requested. */
export function noteDevices(
  { load, requestedWorkers = 0 }: Sizing,
  provider: string,
  { console }: Pick<Context, 'console'>,
): void {
  if (load.workers < requestedWorkers)
    console.info(`using ${load.workers} of ${counted(requestedWorkers, 'worker')}: ${provider} can use only one per device`);
}

/**
 * Notes that memory limits the number of workers, or that there are more workers than processors.
 *
 * @param workers actual number
 * @param bytes memory limit that they fit into
 */
export function noteWorkers(
  workers: number,
  bytes: number,
  { load, cores }: Sizing,
  { console }: Pick<Context, 'console'>,
): void {
  if (workers < load.workers) {
    console.info(
      `using ${workers} of ${counted(load.workers, 'worker')}: more would not fit into ${showBytes(bytes)} of memory`,
    );
  } else if (load.workers > cores) {
    console.info(`${counted(load.workers, 'worker')} on ${counted(cores, 'processor')} will not be faster than ${cores}`);
  }
}

/** Notes that batches were halved to fit the device's memory, once per size. */
export function noteHalved({ progress, context }: ActiveRun, provider: string, rows: number): void {
  const { batch_rows_halved_to: known = Number.POSITIVE_INFINITY } = progress.details;
  if (rows >= known) return;
  progress.details = { ...progress.details, batch_rows_halved_to: rows };
  context.console.info(
    `${provider} ran out of memory: continuing with batches of ${counted(rows, 'row')}; set score.batch_rows: ${rows} to start with that size`,
  );
}
