// Loaded into the real process before anything else (NODE_OPTIONS=--import), in its main thread and in its worker threads. It
// makes one step of a run wait, so that the step takes at least that long on any machine, whatever else the machine does.
//
//   SLOW_STEP  `model`: every run of the model in a worker; `query`: the statement that freezes the rows, or scores them on their
//              way; `top`: the one that finds the highest scores, before their features are read again
//   SLOW_MS    how long it waits each time
//   SLOW_UNTIL waits besides until this file is there; SLOW_UNTIL.reached says that it waits
//
// Plain JavaScript: nothing compiles TypeScript in that process.
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { aroundStatements } from './duckdb-calls.mjs';

process.env.ORT_DISABLE_TELEMETRY ??= '1';
const { InferenceSession } = createRequire(import.meta.url)('onnxruntime-node');
const { SLOW_STEP: step, SLOW_MS: milliseconds, SLOW_UNTIL: file } = process.env;

async function slowly() {
  if (file !== undefined) writeFileSync(`${file}.reached`, 'reached');
  await sleep(Number(milliseconds));
  while (file !== undefined && !existsSync(file)) await sleep(5);
}

if (step === 'model' && !isMainThread) {
  const create = InferenceSession.create.bind(InferenceSession);
  InferenceSession.create = async (...given) => {
    const session = await create(...given);
    const run = session.run.bind(session);
    session.run = async (...feeds) => {
      await slowly();
      return await run(...feeds);
    };
    return session;
  };
}

const STATEMENTS = { query: /^\s*COPY \(SELECT (\S+ AS c0,|.* score_batch_tap_\w+\()/s, top: /^\s*SELECT .* AS key_hash,/s };

if (step !== 'model') {
  aroundStatements(async (sql, run) => {
    if (STATEMENTS[step].test(sql)) await slowly();
    return await run();
  });
}
