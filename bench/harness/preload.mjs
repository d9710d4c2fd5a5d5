// Loaded by `node --import` before score-batch, to write down what can be seen only from inside: when the first batch was scored, by
// how many threads, in batches of how many rows, and how busy the main thread was. Writes into the folder that
// SCORE_BATCH_BENCH_TRACE names; the product knows nothing of it.
import { readFileSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

const folder = process.env.SCORE_BATCH_BENCH_TRACE;
if (isMainThread) process.once('exit', writeMainThread);
else watchModel();

function writeMainThread() {
  const { active } = performance.eventLoopUtilization();
  write('main', { active: active / 1000, cpu: mainThreadCpu() });
}

/** User and system seconds of this thread; the kernel counts them in hundredths. */
function mainThreadCpu() {
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

/** Every call of a model goes by `run` of one class of onnxruntime-common. */
function watchModel() {
  const load = Module._load;
  Module._load = function watched(request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    const session = request === 'onnxruntime-common' ? loaded.InferenceSession?.prototype : undefined;
    if (session?.run) {
      Module._load = load;
      watchRuns(session);
    }
    return loaded;
  };
}

function watchRuns(session) {
  const run = session.run;
  const timesByRows = new Map();
  let first;
  session.run = async function watched(feeds, ...rest) {
    const result = await run.call(this, feeds, ...rest);
    first ??= Date.now();
    const rows = Object.values(feeds)[0]?.dims[0];
    timesByRows.set(rows, (timesByRows.get(rows) ?? 0) + 1);
    return result;
  };
  process.once('exit', () => {
    const [most] = [...timesByRows].sort(([, a], [, b]) => b - a);
    if (most) write(`worker-${threadId}`, { first, batchRows: most[0] });
  });
}

function write(name, value) {
  writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(value));
}
