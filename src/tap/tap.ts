import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProviderText } from '../domain/provider.ts';
import { duckdbError } from '../duckdb/errors.ts';
import { OUTCOMES } from '../outcomes/folder.ts';
import type { EngineMessage, EngineSetup, Entered, ScoringMessage, ScoringSetup, Worked } from './messages.ts';
import { createRing, RingStopped, type SharedRing, scoredBatches, stopRing } from './ring.ts';
import { tapParameters } from './statement.ts';
import type { TapThreads } from './threads.ts';

export interface TapOptions
  extends Omit<EngineSetup, 'ring'>,
    Omit<ScoringSetup, 'ring' | 'kinds' | 'provider' | 'outcomes' | 'reuses' | 'began'> {
  readonly threads: TapThreads;
  readonly workers: number;
  /** Assigned to the workers round-robin. */
  readonly devices: readonly ProviderText[];
  readonly batchRows: number;
  /** Batches that the ring can hold. */
  readonly slots: number;
  /** Aborting it interrupts the statement and lets every worker finish its batch. */
  readonly signal: AbortSignal;
  /** Called with the number of newly scored rows. */
  readonly advance: (rows: number) => void;
}

export interface Tapped {
  readonly entered: Entered;
  readonly worked: readonly Worked[];
}

/** Interval for reporting progress. */
const PROGRESS_MS = 200;

/**
 * Runs the query and scores its rows on their way to the files in `folder`, with a thread for the database and one for each
 * worker. This thread only waits for them, so it can react to signals and the deadline at once. If one thread fails, all stop.
 *
 * @throws the first error of any thread, or the signal's reason
 */
export async function tapWindow(options: TapOptions): Promise<Tapped> {
  const { threads, folder, workers, devices, batchRows, slots, signal, advance, columns, earlier } = options;
  signal.throwIfAborted();
  const { signature, features, model, requireGpu, session, key, keep, seconds } = options;
  const outcomes = path.join(folder, OUTCOMES);
  await writeFile(outcomes, '').catch((error: unknown) => {
    throw duckdbError(error, folder);
  });
  const reuses = earlier.length > 0;
  // The engine needs the hash of the key itself, so the ring does not carry it.
  const types = tapParameters(columns, reuses).filter((_, i) => i !== columns.length);
  const ring = createRing({ types, batchRows, slots });
  const kinds = columns.map(({ kind }) => kind);
  const began = performance.timeOrigin + performance.now();
  const scoring = { ring, kinds, model, signature, features, requireGpu, outcomes, reuses, began };
  const { engine } = threads;
  const scorers = threads.scoring(workers);
  engine.begin({ session, ring, columns, key, keep, folder, earlier, seconds });
  for (const [i, scorer] of scorers.entries()) scorer.begin({ ...scoring, provider: devices[i % devices.length] ?? 'cpu' });
  const all = [engine, ...scorers];
  const stop = (): void => {
    stopRing(ring);
    engine.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  const watch = setInterval(watchRing(ring, advance), PROGRESS_MS);
  try {
    const results = await Promise.allSettled(
      all.map(({ result }) =>
        (result as Promise<EngineMessage | ScoringMessage>).catch((error: unknown) => {
          stop();
          throw error;
        }),
      ),
    );
    await Promise.all(all.map(({ ended }) => ended));
    signal.throwIfAborted();
    return collectResults(results);
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', stop);
  }
}

function collectResults(results: readonly PromiseSettledResult<EngineMessage | ScoringMessage>[]): Tapped {
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  // A thread that was stopped because of another one's failure only reports that.
  const failure = failures.find(({ message }) => message !== RingStopped.MESSAGE) ?? failures[0];
  if (failure) throw failure;
  let entered: Entered | undefined;
  const worked: Worked[] = [];
  for (const result of results) {
    if (result.status === 'rejected') continue;
    if (result.value.type === 'entered') entered = result.value.entered;
    else if (result.value.type === 'worked') worked.push(result.value.worked);
  }
  if (entered === undefined) throw new Error('the engine ended without a result');
  return { entered, worked };
}

function watchRing(ring: SharedRing, advance: TapOptions['advance']): () => void {
  let known = 0;
  return () => {
    const scored = scoredBatches(ring);
    if (scored > known) advance((scored - known) * ring.batchRows);
    known = scored;
  };
}
