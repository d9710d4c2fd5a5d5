// Measures how fast models are by batch size and number of workers, to choose what `auto` means in src/sizing/batch-rows.ts.
//
//   npm run bench:sizing -- --models bench/mlp,bench/lgbm --batches 256,1024,4096,8192,16384,65536 --workers 1,2 --seconds 1
//
// If other processes share the cores, compare rows per second of processor time, which does not count waiting. Takes the best
// of three rounds, each of which includes every size.
import { parseArgs } from 'node:util';
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadBundle } from '../src/model/bundle.ts';
import { type InputTensor, openSession } from '../src/runtime/session.ts';
import { batchRows } from '../src/sizing/batch-rows.ts';

const ROUNDS = 3;

interface Task {
  readonly model: string;
  readonly rows: number;
  readonly seconds: number;
}

/** Rows per second of wall time and of processor time. */
interface RatePair {
  readonly wall: number;
  readonly processor: number;
}

if (isMainThread) await main();
else if (parentPort) await work(parentPort, workerData as Task);

async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      models: { type: 'string', default: 'bench/mlp,bench/lgbm' },
      batches: { type: 'string', default: '256,512,1024,2048,4096,8192,16384,32768,65536' },
      workers: { type: 'string', default: '1,2,4' },
      seconds: { type: 'string', default: '0.5' },
    },
  });
  const numbers = (text: string) => text.split(',').map(Number);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  for (const model of flags.models.split(',')) {
    const bundle = await loadBundle(model);
    say(`${model}: auto is ${batchRows('auto', bundle.signature, bundle.width)} rows\n`);
    say('| rows of a batch | workers | rows/s | rows/s of processor time |\n| --: | --: | --: | --: |');
    const cases = numbers(flags.batches).flatMap((rows) => numbers(flags.workers).map((workers) => ({ rows, workers })));
    const best = cases.map((one) => ({ ...one, wall: 0, processor: 0 }));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const one of best) {
        const rates = await measure({ model, rows: one.rows, seconds: Number(flags.seconds) }, one.workers);
        one.wall = Math.max(one.wall, rates.wall);
        one.processor = Math.max(one.processor, rates.processor);
      }
    }
    for (const { rows, workers, wall, processor } of best) {
      const show = (rate: number) => Math.round(rate).toLocaleString('en');
      say(`| ${rows.toLocaleString('en')} | ${workers} | ${show(wall)} | ${show(processor)} |`);
    }
    say('');
  }
}

/** Workers start together, once each has a session. */
async function measure(task: Task, count: number): Promise<RatePair> {
  const threads = Array.from({ length: count }, () => new Worker(new URL(import.meta.url), { workerData: task }));
  const answers = () =>
    Promise.all(
      threads.map((thread) => new Promise<number>((resolve, reject) => thread.once('error', reject).once('message', resolve))),
    );
  await answers();
  const before = process.cpuUsage();
  const start = performance.now();
  for (const thread of threads) thread.postMessage('begin');
  const scored = (await answers()).reduce((sum, part) => sum + part, 0);
  const { user, system } = process.cpuUsage(before);
  const wall = (performance.now() - start) / 1000;
  await Promise.all(threads.map(end));
  return { wall: scored / wall, processor: scored / ((user + system) / 1e6) };
}

function end(thread: Worker): Promise<void> {
  return new Promise((resolve) => {
    thread.once('exit', () => resolve());
    thread.postMessage('end');
  });
}

/** The session of a chunk worker, given the same random rows repeatedly. */
async function work(port: MessagePort, { model, rows, seconds }: Task): Promise<void> {
  const bundle = await loadBundle(model);
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  const inputs = bundle.signature.inputs.map(({ name, dtype, features }): InputTensor => {
    if (dtype !== 'float32') throw new Error(`${model} takes ${dtype}, and this feeds float32 only`);
    const values = new Float32Array(rows * features.length).map(() => Math.random() * 100);
    return { name, dtype, values, shape: [rows, features.length] };
  });
  await session.run(inputs, bundle.signature.output);
  port.postMessage(0);
  await new Promise((resolve) => port.once('message', resolve));
  const end = performance.now() + seconds * 1000;
  let scored = 0;
  while (performance.now() < end) {
    await session.run(inputs, bundle.signature.output);
    scored += rows;
  }
  port.postMessage(scored);
  await new Promise((resolve) => port.once('message', resolve));
  await session.close();
  process.exit();
}
