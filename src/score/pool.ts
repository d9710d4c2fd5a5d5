import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import type { ScoredFile } from '../domain/attempt.ts';
import type { ProviderText } from '../domain/provider.ts';
import { fromParts } from './error-parts.ts';
import type { ChunkTask, WorkerMessage, WorkerSetup } from './messages.ts';
import { isOutOfMemory, outOfMemory } from './out-of-memory.ts';

export interface PoolOptions extends Omit<WorkerSetup, 'stop' | 'provider'> {
  readonly workers: number;
  /** Given to the workers in turn. */
  readonly devices: readonly ProviderText[];
  /** Whether the source hands over no rows as JavaScript values, so that little is made that does not live long. */
  readonly smallHeap: boolean;
  /** Aborting it lets every worker finish its batch and stop. */
  readonly signal: AbortSignal;
}

/**
 * Scores chunks on worker threads, at most one per worker at a time, and hands each scored file to `stage`, with the seconds that its worker took for it. The first
 * failure stops the others after their batch: ending a thread inside the model would abort the whole process.
 *
 * @param turns chunks that there may be at most
 * @param next gives a worker that is free its next chunk, undefined once there is none; its signal ends a wait for one
 * @throws whatever a worker, `next` or `stage` threw first, or the signal's reason
 */
export async function scoreChunks(
  turns: number,
  next: (signal: AbortSignal) => Promise<ChunkTask | undefined>,
  stage: (scored: ScoredFile, seconds: number) => Promise<void>,
  { workers, devices, smallHeap, signal, ...setup }: PoolOptions,
): Promise<void> {
  const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const requestStop = () => Atomics.store(new Int32Array(stop), 0, 1);
  const idle = Array.from({ length: Math.min(workers, turns) }, (_, i) =>
    startWorker({ ...setup, stop, provider: devices[i % devices.length] ?? 'cpu' }, smallHeap),
  );
  const all = [...idle];
  const limit = pLimit(Math.max(1, all.length));
  const failing = new AbortController();
  const waiting = AbortSignal.any([signal, failing.signal]);
  signal.addEventListener('abort', requestStop, { once: true });
  let over = false;
  let failure: { error: unknown } | undefined;
  const takeTurn = async (): Promise<void> => {
    if (over || failure || signal.aborted) return;
    const worker = idle.pop();
    if (worker === undefined) throw new Error('more chunks in flight than workers');
    try {
      const task = await next(waiting);
      if (task === undefined) over = true;
      else if (!failure && !signal.aborted) {
        const start = performance.now();
        const scored = await worker.score(task);
        if (scored !== undefined) await stage(scored, (performance.now() - start) / 1000);
      }
    } catch (error) {
      failure ??= { error };
      requestStop();
      failing.abort(error);
    } finally {
      idle.push(worker);
    }
  };
  try {
    await Promise.all(Array.from({ length: turns }, () => limit(takeTurn)));
  } finally {
    signal.removeEventListener('abort', requestStop);
    await Promise.all(all.map((worker) => worker.close()));
  }
  signal.throwIfAborted();
  if (failure) throw failure.error;
}

interface ChunkWorker {
  /** @returns undefined where the worker was told to stop */
  score(task: ChunkTask): Promise<ScoredFile | undefined>;
  close(): Promise<void>;
}

/**
 * V8 lets the young generation of a thread grow to 48 MiB before it looks what lives; views of batches are all that is made
 * here. A heap that grows beyond what any batch explains is ended before the machine is.
 */
const SMALL_HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

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
  // A thread that ends says 'exit', not 'error': without this a run would wait for ever.
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
      // Also where it failed: one that threw what nobody caught while it had nothing to do is still there, and listens.
      thread.postMessage('close');
      await exited;
    },
  };
}
