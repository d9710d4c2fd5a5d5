// Loaded into the real process before anything else (NODE_OPTIONS=--import), in its main thread and in its worker threads. It
// stands between score-batch and ONNX Runtime, and makes devices fail as no device here can be made to. What it does is in
// FALSE_DEVICE, a JSON object:
//
//   cuda    take cpu for every device of cuda: two GPUs where there is none
//   fits    rows of a run that a device has memory for, in chunk workers
//   fails   number of the run, of all in one chunk worker, that fails with `message`, or with `abort` ends the process
//   gone    is whether chunk workers find no device
//   off     is added to every score on a device that is not cpu
//
// Plain JavaScript: nothing compiles TypeScript in that process.
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

process.env.ORT_DISABLE_TELEMETRY ??= '1';
const { InferenceSession } = createRequire(import.meta.url)('onnxruntime-node');
const {
  cuda = false,
  fits = Infinity,
  fails,
  message,
  abort = false,
  gone = false,
  off = 0,
} = JSON.parse(process.env.FALSE_DEVICE ?? '{}');

if (cuda) {
  const { existsSync } = fs;
  fs.existsSync = (path) => String(path).endsWith('libonnxruntime_providers_cuda.so') || existsSync(path);
  syncBuiltinESMExports();
}

const create = InferenceSession.create.bind(InferenceSession);
let runs = 0;

/** ONNX Runtime would refuse cpu where its use is ruled out. */
function onCpu({ extra: { session }, ...options }) {
  const { disable_cpu_ep_fallback: _, ...rest } = session;
  return { ...options, executionProviders: ['cpu'], extra: { session: rest } };
}

InferenceSession.create = async (bytes, options) => {
  const [given] = options.executionProviders;
  const provider = given.name ?? given;
  if (gone && !isMainThread) throw new Error('the device is gone');
  const session = await create(bytes, provider === 'cuda' && cuda ? onCpu(options) : options);
  if (provider === 'cpu') return session;
  const run = session.run.bind(session);
  session.run = async (feeds, outputs) => {
    if (!isMainThread) {
      runs += 1;
      if (runs === fails && abort) process.kill(process.pid, 'SIGABRT');
      if (runs === fails || Object.values(feeds)[0].dims[0] > fits) throw new Error(message);
    }
    const result = await run(feeds, outputs);
    if (off !== 0) for (const { data } of Object.values(result)) for (const i of data.keys()) data[i] += off;
    return result;
  };
  return session;
};
