// Loaded into the real process before anything else (NODE_OPTIONS=--import), in its main thread and in its worker threads: lets chunk workers
// die the way that DYING_WORKER says at their second chunk: with DYING_MIDWAY while a library works on it.
// Plain JavaScript: nothing compiles TypeScript in that process.
import { isMainThread, parentPort } from 'node:worker_threads';

const DEATHS = {
  // Nobody catches what is thrown here.
  error: () =>
    setImmediate(() => {
      throw new Error('it fell over');
    }),
  // V8 ends a thread whose heap is full.
  heap: () => {
    const kept = [];
    for (;;) kept.push(new Array(100_000).fill(kept.length).map((value) => ({ value })));
  },
};

if (!isMainThread) {
  let tasks = 0;
  const { on } = parentPort;
  // A listener of our own would let messages through before the thread has one.
  parentPort.on = (event, listener) =>
    on.call(parentPort, event, (message) => {
      if (event === 'message' && message !== 'close') {
        tasks += 1;
        if (tasks === 2)
          if (process.env.DYING_MIDWAY) setTimeout(DEATHS[process.env.DYING_WORKER], 0);
          else DEATHS[process.env.DYING_WORKER]();
      }
      listener(message);
    });
}
