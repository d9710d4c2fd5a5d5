// Loaded into the real process before anything else (NODE_OPTIONS=--import), in its main thread and in its worker threads: a scoring worker
// ends at its second batch in the way that DYING_SCORER says.
// Plain JavaScript: nothing compiles TypeScript in that process.
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const DEATHS = {
  error: () => {
    throw new Error('it fell over');
  },
  exit: () => process.exit(3),
  // V8 ends a thread whose heap is full.
  heap: () => {
    const kept = [];
    for (;;) kept.push(new Array(100_000).fill(kept.length).map((value) => ({ value })));
  },
};

if (!isMainThread) {
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const { InferenceSession } = createRequire(import.meta.url)('onnxruntime-node');
  const create = InferenceSession.create.bind(InferenceSession);
  InferenceSession.create = async (...given) => {
    const session = await create(...given);
    const run = session.run.bind(session);
    let runs = 0;
    session.run = async (...feeds) => {
      runs += 1;
      if (runs === 2) DEATHS[process.env.DYING_SCORER]();
      return await run(...feeds);
    };
    return session;
  };
}
