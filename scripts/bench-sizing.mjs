// Measures how fast models are by rows of a batch and by workers, to choose what `auto` means in src/sizing/batch-rows.ts.
//
//   npm run bench:sizing -- --models bench/mlp,bench/lgbm --batches 256,1024,4096,8192,16384,65536 --workers 1,2 --seconds 1
//
// Where other processes share the cores, compare rows per second of processor time: what waits is not counted there. The best
// of three rounds, in each of which every size has its turn.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadBundle } from '../.modules/model/bundle.js';
import { openSession } from '../.modules/runtime/session.js';
import { batchRows } from '../.modules/sizing/batch-rows.js';

const ROUNDS = 3;

if (isMainThread) await main();
else await work(workerData);

async function main() {
  const { values: flags } = parseArgs({
    options: {
      models: { type: 'string', default: 'bench/mlp,bench/lgbm' },
      batches: { type: 'string', default: '256,512,1024,2048,4096,8192,16384,32768,65536' },
      workers: { type: 'string', default: '1,2,4' },
      seconds: { type: 'string', default: '0.5' },
    },
  });
  const numbers = (text) => text.split(',').map(Number);
  const say = (text) => process.stdout.write(`${text}\n`);
  for (const model of flags.models.split(',')) {
    const bundle = await loadBundle(model);
    say(`${model}: auto is ${batchRows('auto', bundle.signature, bundle.width)} rows\n`);
    say('| rows of a batch | workers | rows/s | rows/s of processor time |\n| --: | --: | --: | --: |');
    const cases = numbers(flags.batches).flatMap((rows) => numbers(flags.workers).map((workers) => ({ rows, workers })));
    const best = cases.map(() => ({ wall: 0, processor: 0 }));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [i, { rows, workers }] of cases.entries()) {
        const rates = await measure(model, rows, workers, Number(flags.seconds));
        best[i] = { wall: Math.max(best[i].wall, rates.wall), processor: Math.max(best[i].processor, rates.processor) };
      }
    }
    for (const [i, { rows, workers }] of cases.entries()) {
      const show = (rate) => Math.round(rate).toLocaleString('en');
      say(`| ${rows.toLocaleString('en')} | ${workers} | ${show(best[i].wall)} | ${show(best[i].processor)} |`);
    }
    say('');
  }
}

/** Workers begin together, once each has a session. */
async function measure(model, rows, count, seconds) {
  const threads = Array.from(
    { length: count },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: { model, rows, seconds } }),
  );
  const answers = () =>
    Promise.all(
      threads.map((thread) => new Promise((resolve, reject) => thread.once('error', reject).once('message', resolve))),
    );
  await answers();
  const before = process.cpuUsage();
  const start = performance.now();
  for (const thread of threads) thread.postMessage('begin');
  const scored = (await answers()).reduce((sum, part) => sum + part, 0);
  const { user, system } = process.cpuUsage(before);
  const wall = (performance.now() - start) / 1000;
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve).postMessage('end'))));
  return { wall: scored / wall, processor: scored / ((user + system) / 1e6) };
}

/** The session of a chunk worker, fed with the same random rows again and again. */
async function work({ model, rows, seconds }) {
  const bundle = await loadBundle(model);
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  const inputs = bundle.signature.inputs.map(({ name, dtype, features }) => {
    if (dtype !== 'float32') throw new Error(`${model} takes ${dtype}, and this feeds float32 only`);
    const values = new Float32Array(rows * features.length).map(() => Math.random() * 100);
    return { name, dtype, values, shape: [rows, features.length] };
  });
  await session.run(inputs, bundle.signature.output);
  parentPort.postMessage('ready');
  await new Promise((resolve) => parentPort.once('message', resolve));
  const end = performance.now() + seconds * 1000;
  let scored = 0;
  while (performance.now() < end) {
    await session.run(inputs, bundle.signature.output);
    scored += rows;
  }
  parentPort.postMessage(scored);
  await new Promise((resolve) => parentPort.once('message', resolve));
  await session.close();
  process.exit();
}
