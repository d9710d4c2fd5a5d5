import { parentPort, workerData } from 'node:worker_threads';
import { openDatabase } from '../duckdb/database.ts';
import { featureError } from '../duckdb/errors.ts';
import { inBatches } from '../runtime/batches.ts';
import { registerSecretsOf } from '../secrets.ts';
import { openWarehouse } from '../warehouse/open.ts';
import { scoreChunk } from './chunk.ts';
import { toParts } from './error-parts.ts';
import type { ChunkTask, WorkerMessage, WorkerSetup } from './messages.ts';
import { openServing } from './serving.ts';

// Entry of a chunk worker's thread: one model session and one in-memory DuckDB, one chunk at a time until the port closes.

const STOP_MS = 100;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const setup = workerData as WorkerSetup;
registerSecretsOf(process.env);
const stop = new Int32Array(setup.stop);
const post = (message: WorkerMessage): void => port.postMessage(message);

// Left to itself, the thread would end in the middle of a call into a library, and abort the process with it.
process.on('uncaughtException', (error) => post({ type: 'failed', error: toParts(error) }));

try {
  const session = inBatches(await openServing(setup), setup.batchRows);
  const database = await openDatabase(':memory:', { threads: 1, memory: setup.memory, temporary: setup.folder });
  const stopped = () => Atomics.load(stop, 0) !== 0;
  const stopping = new AbortController();
  // The flag cannot wake anybody; a warehouse that is being read is told soon enough.
  const watch = setInterval(() => stopped() && stopping.abort(), STOP_MS).unref();
  const warehouse = await openWarehouse({
    ...setup.source,
    environment: process.env,
    signal: stopping.signal,
    // The main thread opened the same one and said it.
    warn: () => undefined,
  });
  const close = async (): Promise<void> => {
    try {
      clearInterval(watch);
      await warehouse.close();
      await database[Symbol.asyncDispose]();
      await session.close();
    } finally {
      // Whatever fails before, or is still under way, a login say: a thread that stays keeps the run.
      port.close();
      process.exit();
    }
  };
  const score = async (task: ChunkTask): Promise<void> => {
    try {
      const scored = await scoreChunk(task, setup, warehouse.source, session, database, stopped);
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
    // A chunk that is given up while the library works on it would take the whole process along.
    if (task === 'close') void working.then(close);
    else working = score(task);
  });
} catch (error) {
  post({ type: 'failed', error: toParts(error) });
  port.close();
}
