import { Worker } from 'node:worker_threads';

import type { ScoredFile } from '../domain/attempt.ts';
import type { ProviderText } from '../domain/provider.ts';
import { fromParts } from '../error-parts.ts';
import type { ChunkTask, WorkerMessage, WorkerSetup } from './messages.ts';
import { isOutOfMemory, outOfMemory } from './out-of-memory.ts';
import { SMALL_HEAP } from './small-heap.ts';

export interface PoolOptions extends Omit<WorkerSetup, 'stop' | 'provider'> {
  readonly workers: number;
  /** Assigned to the workers round-robin. */
  readonly devices: readonly ProviderText[];
  /** Whether to limit the heap of each worker, which is enough if the source makes no JavaScript value per row. */
  readonly smallHeap: boolean;
  /** Aborting it lets every worker finish its batch, then stop. */
  readonly signal: AbortSignal;
}

/**
 * Scores chunks on worker threads, one chunk per worker at a time. Passes each scored file to `stage`, with the seconds that its
 * worker took. After the first failure, the other workers finish their batch and stop: ending a thread inside the model would
 * abort the whole process.
 *
 * @param maxChunks maximum number of calls to `next`
 * @param next returns the next chunk for a free worker, or undefined if there are no more; its signal ends a wait
 * @throws the first error of a worker, `next` or `stage`, or the signal's reason
 */
export async function scoreChunks(
  maxChunks: number,
  next: (signal: AbortSignal) => Promise<ChunkTask | undefined>,
  stage: (scored: ScoredFile, seconds: number) => Promise<void>,
  { workers, devices, smallHeap, signal, ...setup }: PoolOptions,
): Promise<void> {
  const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const requestStop = () => Atomics.store(new Int32Array(stop), 0, 1);
  const pool = Array.from({ length: Math.min(workers, maxChunks) }, (_, i) =>
    startWorker({ ...setup, stop, provider: devices[i % devices.length] ?? 'cpu' }, smallHeap),
  );
  const failing = new AbortController();
  const ending = AbortSignal.any([signal, failing.signal]);
  signal.addEventListener('abort', requestStop, { once: true });
  let remaining = maxChunks;
  const scoreInTurn = async (worker: ChunkWorker): Promise<void> => {
    while (remaining > 0 && !ending.aborted) {
      remaining -= 1;
      const task = await next(ending);
      if (task === undefined) {
        remaining = 0;
        return;
      }
      if (ending.aborted) return;
      const start = performance.now();
      const scored = await worker.score(task);
      if (scored !== undefined) await stage(scored, (performance.now() - start) / 1000);
    }
  };
  const fail = (error: unknown): void => {
    requestStop();
    // Only the first call sets the reason.
    failing.abort(error);
  };
  try {
    await Promise.all(pool.map((worker) => scoreInTurn(worker).catch(fail)));
  } finally {
    signal.removeEventListener('abort', requestStop);
    await Promise.all(pool.map((worker) => worker.close()));
  }
  signal.throwIfAborted();
  failing.signal.throwIfAborted();
}

interface ChunkWorker {
  /** @returns undefined if the worker was stopped */
  score(task: ChunkTask): Promise<ScoredFile | undefined>;
  close(): Promise<void>;
}

function startWorker(setup: WorkerSetup, smallHeap: boolean): ChunkWorker {
  const options = { workerData: setup, ...(smallHeap && { resourceLimits: SMALL_HEAP }) };
  const thread = new Worker(new URL('./thread.js', import.meta.url), options);
  const exited = new Promise<number>((resolve) => thread.once('exit', resolve));
  let ended: Error | undefined;
  let waiting: { resolve(message: WorkerMessage): void; reject(error: Error): void } | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    waiting?.reject(ended);
  };
  thread.on('message', (message: WorkerMessage) => {
    if (message.type === 'failed' && waiting === undefined) end(fromParts(message.error));
    else waiting?.resolve(message);
  });
  thread.on('error', (error) => end(isOutOfMemory(error) ? outOfMemory(error) : error));
  // A thread that ends emits 'exit', not 'error'. Without this a run would wait forever.
  thread.on('exit', (code) => end(new Error(`a chunk worker ended with exit code ${code}`)));
  return {
    async score(task) {
      if (ended) throw ended;
      const message = await new Promise<WorkerMessage>((resolve, reject) => {
        waiting = { resolve, reject };
        thread.postMessage(task);
      }).finally(() => {
        waiting = undefined;
      });
      if (message.type === 'failed') throw fromParts(message.error);
      return message.type === 'scored' ? message.scored : undefined;
    },
    async close() {
      // Also after a failure: a thread with an uncaught error while idle is still running and listens.
      thread.postMessage('close');
      await exited;
    },
  };
}
