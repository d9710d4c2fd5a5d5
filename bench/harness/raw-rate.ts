// Rows per second of onnxruntime alone: threads with a session each, on batches of generated users already in memory. Prints
// {"rowsPerSecond": …, …}. Other figures show a whole job's rate as a share of this raw rate.
//
//   node .modules/bench/harness/raw-rate.js users.duckdb model.onnx WORKERS BATCH_ROWS SECONDS PROVIDER
import { Worker } from 'node:worker_threads';
import { DuckDBInstance } from '@duckdb/node-api';
import type { RawThreadData } from './raw-thread.ts';

/** Batches to use in turn, so that they exceed the processor's cache. */
const BATCHES = 24;
const FEATURES = 20;
const WARM_UP_MS = 500;

const [users = '', model = '', workers, batchRows, seconds, provider = 'cpu'] = process.argv.slice(2);
const batches = await readBatches(users, Number(batchRows));
const shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
const state = new Int32Array(shared);
const threads = Array.from({ length: Number(workers) }, () => start({ model, batches, provider, shared }));
for (let ready = 0; ready < threads.length; ready = Atomics.load(state, 0)) await wait(10, threads);
await wait(WARM_UP_MS, threads);
Atomics.store(state, 1, 1);
await wait(Number(seconds) * 1000, threads);
Atomics.store(state, 1, 2);
const rates = await Promise.all(threads);
process.stdout.write(
  `${JSON.stringify({ rowsPerSecond: rates.reduce((sum, rate) => sum + rate, 0), threads: rates.length, batchRows: Number(batchRows) })}\n`,
);

/** Batches of the users' features as matrices; nulls become -1. */
async function readBatches(file: string, rows: number): Promise<Float32Array[]> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const selected = Array.from({ length: FEATURES }, (_, k) => `coalesce(f${k}, -1)::float`);
  const reader = await connection.runAndReadAll(`select ${selected.join(', ')} from users limit ${rows * BATCHES}`);
  const columns = reader.getColumns();
  connection.closeSync();
  instance.closeSync();
  const there = columns[0]?.length ?? 0;
  return Array.from({ length: Math.max(1, Math.floor(there / rows)) }, (_, batch) => {
    const matrix = new Float32Array(Math.min(rows, there) * FEATURES);
    for (let at = 0; at < matrix.length; at += 1) {
      matrix[at] = Number(columns[at % FEATURES]?.[batch * rows + Math.floor(at / FEATURES)]);
    }
    return matrix;
  });
}

/** @returns rows per second of one thread */
function start(workerData: RawThreadData): Promise<number> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./raw-thread.js', import.meta.url), { workerData });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`a thread ended with ${code}`)));
  });
}

/** Waits this long, unless a thread fails. */
async function wait(ms: number, threads: readonly Promise<number>[]): Promise<void> {
  await Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), Promise.all(threads)]);
}
