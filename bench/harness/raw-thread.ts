// One thread of raw-rate.ts: scores batches repeatedly, and counts while told to.
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Input of a thread. */
export interface RawThreadData {
  /** Path of the model file. */
  readonly model: string;
  /** Batches as matrices `[rows, 20]`. */
  readonly batches: readonly Float32Array[];
  readonly provider: string;
  /** Two int32: number of ready threads, and the current phase (0 warm up, 1 count, 2 end). */
  readonly shared: SharedArrayBuffer;
}

const FEATURES = 20;
const COUNT = 1;
const END = 2;

const { model, batches, provider, shared } = workerData as RawThreadData;
const state = new Int32Array(shared);
// Same options as in src/runtime/session.ts.
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
