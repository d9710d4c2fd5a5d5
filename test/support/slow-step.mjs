// Loaded into the real process before anything else (NODE_OPTIONS=--import), in its main thread and in its worker threads. It
// makes one step of a run wait, so that the step takes at least that long on any machine, whatever else the machine does.
//
//   SLOW_STEP  `model`: every run of the model in a worker; `query`: the statement that freezes the rows, or scores them on their way
//   SLOW_MS    how long it waits each time
//
// Plain JavaScript: nothing compiles TypeScript in that process.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { aroundStatements } from './duckdb-calls.mjs';

process.env.ORT_DISABLE_TELEMETRY ??= '1';
const { InferenceSession } = createRequire(import.meta.url)('onnxruntime-node');
const { SLOW_STEP: step, SLOW_MS: milliseconds } = process.env;

if (step === 'model' && !isMainThread) {
  const create = InferenceSession.create.bind(InferenceSession);
  InferenceSession.create = async (...given) => {
    const session = await create(...given);
    const run = session.run.bind(session);
    session.run = async (...feeds) => {
      await sleep(Number(milliseconds));
      return await run(...feeds);
    };
    return session;
  };
}

if (step === 'query') {
  aroundStatements(async (sql, run) => {
    if (/^\s*COPY \(SELECT (\S+ AS c0,|.* score_batch_tap_\w+\()/s.test(sql)) await sleep(Number(milliseconds));
    return await run();
  });
}
