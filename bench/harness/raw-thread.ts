// One thread of raw-rate.mjs: scores batches over and over, and counts while it is told to.
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const FEATURES = 20;
const COUNT = 1;
const END = 2;

const { model, batches, provider, shared } = workerData;
const state = new Int32Array(shared);
// As src/runtime/session.ts opens it.
const session = await InferenceSession.create(model, {
  executionProviders: [provider],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
});
const feeds = batches.map((matrix) => ({ features: new Tensor('float32', matrix, [matrix.length / FEATURES, FEATURES]) }));
await session.run(feeds[0], ['probabilities']);
Atomics.add(state, 0, 1);

let rows = 0;
let start;
for (let turn = 0; Atomics.load(state, 1) !== END; turn += 1) {
  if (start === undefined && Atomics.load(state, 1) === COUNT) start = performance.now();
  const feed = feeds[turn % feeds.length];
  await session.run(feed, ['probabilities']);
  if (start !== undefined) rows += feed.features.dims[0];
}
parentPort.postMessage(start === undefined ? 0 : rows / ((performance.now() - start) / 1000));
await session.release();
