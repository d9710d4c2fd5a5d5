import { parentPort, workerData } from 'node:worker_threads';
import { openDatabase } from '../duckdb/database.ts';
import { featureError } from '../duckdb/errors.ts';
import { toParts } from '../error-parts.ts';
import { inBatches } from '../runtime/batches.ts';
import { registerSecretsOf } from '../secrets.ts';
import { openWarehouse } from '../warehouse/open.ts';
import { openChosenModel } from './chosen-model.ts';
import { scoreChunk } from './chunk.ts';
import type { ChunkTask, WorkerMessage, WorkerSetup } from './messages.ts';

// Entry of a chunk worker's thread. It has a model session and an in-memory DuckDB, and scores one chunk at a time until closed.

const STOP_MS = 100;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const setup = workerData as WorkerSetup;
registerSecretsOf(process.env);
const stop = new Int32Array(setup.stop);
const post = (message: WorkerMessage): void => port.postMessage(message);

// By default the thread would end during a call into a native library, which aborts the process.
process.on('uncaughtException', (error) => post({ type: 'failed', error: toParts(error) }));

try {
  // As online, where every run has an even number of rows.
  const session = inBatches(await openChosenModel(setup), setup.batchRows, { even: setup.signature.classes !== undefined });
  const database = await openDatabase(':memory:', { threads: 1, memory: setup.memory, temporary: setup.folder });
  const stopped = () => Atomics.load(stop, 0) !== 0;
  const stopping = new AbortController();
  // The flag cannot interrupt a read from the warehouse, so poll it.
  const watch = setInterval(() => stopped() && stopping.abort(), STOP_MS).unref();
  const warehouse = await openWarehouse({
    ...setup.source,
    environment: process.env,
    signal: stopping.signal,
    // The main thread opened the same warehouse and already printed its warnings.
    warn: () => undefined,
  });
  const close = async (): Promise<void> => {
    try {
      clearInterval(watch);
      await warehouse.close();
      await database[Symbol.asyncDispose]();
      await session.close();
    } finally {
      // Even if closing fails or a login is still pending: a thread that stays alive would block the run.
      port.close();
      process.exit();
    }
  };
  const score = async (task: ChunkTask): Promise<void> => {
    try {
      const scored = await scoreChunk(task, { setup, source: warehouse.source, session, database, stopped });
      const { halvedTo } = session;
      if (scored === undefined) post({ type: 'stopped' });
      else post({ type: 'scored', scored: { ...scored, ...(halvedTo !== undefined && { halvedTo }) } });
    } catch (error) {
      if (stopping.signal.aborted && error === stopping.signal.reason) post({ type: 'stopped' });
      else post({ type: 'failed', error: toParts(featureError(error, `chunk ${task.chunk}`)) });
    }
  };
  let working = Promise.resolve();
  port.on('message', (task: ChunkTask | 'close') => {
    // Finish the chunk first: ending the thread inside a native library would abort the process.
    if (task === 'close') void working.then(close);
    else working = score(task);
  });
} catch (error) {
  post({ type: 'failed', error: toParts(error) });
  port.close();
}
