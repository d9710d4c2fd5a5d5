// Loaded by `node --import` before score-batch, to write down what can be seen only from inside: when the first batch was scored,
// and how busy the main thread was. Writes into the folder that SCORE_BATCH_BENCH_TRACE names; the product knows nothing of it.
import { readFileSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.SCORE_BATCH_BENCH_TRACE;
if (isMainThread) process.once('exit', writeMainThread);
else watchFirstBatch();

function writeMainThread() {
  const { active, utilization } = performance.eventLoopUtilization();
  write('main.json', { active: active / 1000, utilization, cpu: mainThreadCpu() });
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

/** Every call of a model goes by `run` of one class of onnxruntime-common, in a chunk worker for the first time with a chunk's rows. */
function watchFirstBatch() {
  const load = Module._load;
  Module._load = function watched(request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    const session = request === 'onnxruntime-common' ? loaded.InferenceSession?.prototype : undefined;
    if (session?.run) {
      Module._load = load;
      watch(session);
    }
    return loaded;
  };
}

function watch(session) {
  const run = session.run;
  session.run = async function watched(...args) {
    session.run = run;
    const result = await run.apply(this, args);
    write('first-batch.json', { at: Date.now() });
    return result;
  };
}

/** The first one counts, whichever thread it is. */
function write(name, value) {
  try {
    writeFileSync(path.join(folder, name), JSON.stringify(value), { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}
