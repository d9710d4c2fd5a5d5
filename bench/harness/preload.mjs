// @ts-check
// Loaded by `node --import` before score-batch, to record what only the inside shows: when the first batch was scored, the
// number of threads, the batch size, and how busy the main thread was. Writes to the folder SCORE_BATCH_BENCH_TRACE; the
// product does not know about it.
//
// SCORE_BATCH_TEST_ROWS_PER_SECOND limits each worker to that rate, like a slower core or model, without using this machine's
// cores. SCORE_BATCH_BENCH_KILL_AT kills the process once the model has scored that many rows.
//
// Plain JavaScript, because it is loaded into every measured Node process and must not add compilation to what is measured.
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

/** Every model call goes through `run` of one class of onnxruntime-common. */
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
  // A model blocks its thread, so the simulated slower one does too.
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
