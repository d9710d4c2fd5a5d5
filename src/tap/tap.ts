import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ProviderText } from '../domain/provider.ts';
import { duckdbError } from '../duckdb/errors.ts';
import { OUTCOMES } from '../outcomes/folder.ts';
import { fromParts } from '../score/error-parts.ts';
import { isOutOfMemory, outOfMemory } from '../score/out-of-memory.ts';
import type { EngineMessage, EngineSetup, Entered, ScoringMessage, ScoringSetup, Worked } from './messages.ts';
import { createRing, RingStopped, type SharedRing, scoredBatches, stopRing } from './ring.ts';
import { tapParameters } from './statement.ts';

export interface TapOptions
  extends Omit<EngineSetup, 'ring'>,
    Omit<ScoringSetup, 'ring' | 'kinds' | 'provider' | 'outcomes' | 'reuses' | 'began'> {
  readonly workers: number;
  /** Given to the workers in turn. */
  readonly devices: readonly ProviderText[];
  readonly batchRows: number;
  /** Batches that may wait for a worker. */
  readonly slots: number;
  /** Aborting it ends the statement, and lets every worker finish its batch. */
  readonly signal: AbortSignal;
  /** Told of rows that were scored. */
  readonly advance: (rows: number) => void;
}

export interface Tapped {
  readonly entered: Entered;
  readonly worked: readonly Worked[];
}

const LOOK_MS = 200;

/**
 * Runs the query and scores its rows on their way to the files of `folder`: a thread for the database, and one for each worker. This
 * thread only waits for them, so that signals and the deadline are heard at once. When one of them fails or ends, all do.
 *
 * @throws whatever failed first, or the signal's reason
 */
export async function tapWindow(options: TapOptions): Promise<Tapped> {
  const { folder, workers, devices, batchRows, slots, signal, advance, columns, earlier } = options;
  signal.throwIfAborted();
  const { signature, features, model, requireGpu, session, key, keep, seconds } = options;
  const outcomes = path.join(folder, OUTCOMES);
  await writeFile(outcomes, '').catch((error: unknown) => {
    throw duckdbError(error, folder);
  });
  const reuses = earlier.length > 0;
  // The hash of the key stays with the engine.
  const types = tapParameters(columns, reuses).filter((_, i) => i !== columns.length);
  const ring = createRing({ types, batchRows, slots });
  const kinds = columns.map(({ kind }) => kind);
  const began = performance.timeOrigin + performance.now();
  const scoring = { ring, kinds, model, signature, features, requireGpu, outcomes, reuses, began };
  const threads = [
    startThread<EngineMessage>('./engine-thread.js', {
      session,
      ring,
      columns,
      key,
      keep,
      folder,
      earlier,
      seconds,
    } satisfies EngineSetup),
    ...Array.from({ length: workers }, (_, i) =>
      startThread<ScoringMessage>('./scoring-thread.js', {
        ...scoring,
        provider: devices[i % devices.length] ?? 'cpu',
      } satisfies ScoringSetup),
    ),
  ] as const;
  const stop = (): void => {
    stopRing(ring);
    threads[0].thread.postMessage('stop');
  };
  signal.addEventListener('abort', stop, { once: true });
  const watch = setInterval(watchRing(ring, advance), LOOK_MS);
  try {
    const results = await Promise.allSettled(
      threads.map(({ result }) =>
        result.catch((error: unknown) => {
          stop();
          throw error;
        }),
      ),
    );
    await Promise.all(threads.map(({ ended }) => ended));
    signal.throwIfAborted();
    return resultsOf(results);
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', stop);
  }
}

function resultsOf(results: readonly PromiseSettledResult<EngineMessage | ScoringMessage>[]): Tapped {
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  // Whoever was stopped says only that.
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

/**
 * V8 lets the young generation of a thread grow to 48 MiB before it looks what lives; views of batches are all that is made here. A
 * heap that grows beyond what any batch explains is ended before the machine is.
 */
const LEAN_HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

interface Thread<T> {
  readonly thread: Worker;
  /** What it says at its end; one that ends without a word has failed. */
  readonly result: Promise<T>;
  readonly ended: Promise<void>;
}

function startThread<T extends EngineMessage | ScoringMessage>(
  file: string,
  workerData: EngineSetup | ScoringSetup,
): Thread<T> {
  const thread = new Worker(new URL(file, import.meta.url), { workerData, resourceLimits: LEAN_HEAP });
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const result = new Promise<T>((resolve, reject) => {
    thread.on('message', (message: T) => {
      if (message.type === 'failed') reject(fromParts(message.error));
      else resolve(message);
    });
    thread.on('error', (error) => reject(isOutOfMemory(error) ? outOfMemory(error) : error));
    // A thread that ends says 'exit', not 'error': without this a run would wait for ever.
    thread.on('exit', (code) => reject(new Error(`a scoring thread ended with exit code ${code}`)));
  });
  return { thread, result, ended };
}
