// Loaded into the real process before anything else (NODE_OPTIONS=--import), in its main thread and in its worker threads: a timer of more
// than ten minutes fires as soon as a statement of DuckDB begins that DEADLINE_AT matches, in whatever thread, in place of a test that waits
// until a deadline has come while the right work is running.
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { aroundStatements } from './duckdb-calls.mjs';

const TEN_MINUTES = 600_000;
const pattern = new RegExp(process.env.DEADLINE_AT ?? '$^', 's');
const channel = new BroadcastChannel('deadline');
const long = [];

function fire() {
  for (const { timer, work } of long.splice(0)) {
    clearTimeout(timer);
    work();
  }
}

if (isMainThread) {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (work, ms, ...more) => {
    const timer = setTimeout(work, ms, ...more);
    if (ms > TEN_MINUTES) long.push({ timer, work: () => work(...more) });
    return timer;
  };
  channel.onmessage = fire;
}
// It keeps no process and no thread; a listener would.
channel.unref();

aroundStatements((sql, run) => {
  const running = run();
  if (pattern.test(sql)) {
    fire();
    channel.postMessage('begun');
  }
  return running;
});
