// One thread of raw-rate.ts: scores batches over and over, and counts while it is told to.
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** What a thread is given. */
export interface RawThreadData {
  /** Path of the model file. */
  readonly model: string;
  /** Matrices `[rows, 20]` of which a batch is one. */
  readonly batches: readonly Float32Array[];
  readonly provider: string;
  /** Two int32: how many threads are ready, and what is to be done (0 warm up, 1 count, 2 end). */
  readonly shared: SharedArrayBuffer;
}

const FEATURES = 20;
const COUNT = 1;
const END = 2;

const { model, batches, provider, shared } = workerData as RawThreadData;
const state = new Int32Array(shared);
// As src/runtime/session.ts opens it.
const session = await InferenceSession.create(model, {
  executionProviders: [provider],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
});
const feeds = batches.map((matrix) => {
  const rows = matrix.length / FEATURES;
  return { rows, feed: { features: new Tensor('float32', matrix, [rows, FEATURES]) } };
});
if (feeds[0]) await session.run(feeds[0].feed, ['probabilities']);
Atomics.add(state, 0, 1);

let rows = 0;
let start: number | undefined;
for (let turn = 0; Atomics.load(state, 1) !== END; turn += 1) {
  if (start === undefined && Atomics.load(state, 1) === COUNT) start = performance.now();
  const next = feeds[turn % feeds.length];
  if (next === undefined) throw new RangeError('there is no batch');
  await session.run(next.feed, ['probabilities']);
  if (start !== undefined) rows += next.rows;
}
parentPort?.postMessage(start === undefined ? 0 : rows / ((performance.now() - start) / 1000));
await session.release();
