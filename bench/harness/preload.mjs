// @ts-check
// Loaded by `node --import` before score-batch, to write down what can be seen only from inside: when the first batch was scored, by
// how many threads, in batches of how many rows, and how busy the main thread was. Writes into the folder that
// SCORE_BATCH_BENCH_TRACE names; the product knows nothing of it.
//
// SCORE_BATCH_TEST_ROWS_PER_SECOND holds each worker to that rate, as a slower core or a slower model would, without work for this
// machine's cores. SCORE_BATCH_BENCH_KILL_AT kills the process once the model has scored so many rows.
//
// Plain JavaScript: it goes into every Node that is measured, and nothing that compiles it may be measured along.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

const folder = process.env.SCORE_BATCH_BENCH_TRACE ?? '.';
const rowsPerSecond = Number(process.env.SCORE_BATCH_TEST_ROWS_PER_SECOND ?? Number.POSITIVE_INFINITY);
const killAt = Number(process.env.SCORE_BATCH_BENCH_KILL_AT ?? Number.POSITIVE_INFINITY);
const SCORED = 'scored-';
/**
 * What Node loads CommonJS with, which its types leave out.
 *
 * @typedef {{ _load(this: unknown, request: string, ...rest: unknown[]): { InferenceSession?: { prototype?: Session } } }} Loader
 */
/** @typedef {{ run(this: unknown, feeds: Record<string, { dims: number[] }>, ...rest: unknown[]): Promise<unknown> }} Session */

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
  const module = /** @type {Loader} */ (/** @type {unknown} */ (Module));
  const load = module._load;
  module._load = function watched(request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    const session = request === 'onnxruntime-common' ? loaded.InferenceSession?.prototype : undefined;
    if (session?.run) {
      module._load = load;
      watchRuns(session);
    }
    return loaded;
  };
}

/** @param {Session} session */
function watchRuns(session) {
  const run = session.run;
  /** @type {Map<number, number>} */
  const timesByRows = new Map();
  // A model blocks its thread, and so does what stands for a slower one.
  const nobody = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** @type {number | undefined} */
  let first;
  let scored = 0;
  session.run = async function watched(feeds, ...rest) {
    const start = performance.now();
    const result = await run.call(this, feeds, ...rest);
    const rows = Object.values(feeds)[0]?.dims[0] ?? 0;
    const left = (rows / rowsPerSecond) * 1000 - (performance.now() - start);
    if (left > 0) Atomics.wait(nobody, 0, 0, left);
    first ??= Date.now();
    scored += rows;
    if (killAt < Number.POSITIVE_INFINITY) killWhenScored(scored);
    timesByRows.set(rows, (timesByRows.get(rows) ?? 0) + 1);
    return result;
  };
  process.once('exit', () => {
    const [most] = [...timesByRows].sort(([, a], [, b]) => b - a);
    if (most) write(`worker-${threadId}`, { first, batchRows: most[0], rows: scored });
  });
}

/**
 * Threads share no memory that could be had from here, but a folder.
 *
 * @param {number} mine rows that this thread's model has scored
 */
function killWhenScored(mine) {
  write(`${SCORED}${threadId}`, mine);
  const all = readdirSync(folder)
    .filter((name) => name.startsWith(SCORED))
    .reduce((sum, name) => sum + Number(readFileSync(path.join(folder, name), 'utf8')), 0);
  if (all >= killAt) process.kill(process.pid, 'SIGKILL');
}

/** @param {string} name @param {unknown} value */
function write(name, value) {
  writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(value));
}
