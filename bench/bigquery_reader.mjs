// Reads the frozen week as chunk workers do, and encodes its features: `node bigquery_reader.mjs DIST PLAN`.
//
// Prints {"rows": …, "sum": …, "seconds": …, "cpu": …} for the read alone, without the start of Node. For scripts/bench-bigquery.mjs.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const BATCH_ROWS = 16_384;
/** Rows that may come beyond a batch. */
const VECTOR = 2048;

if (isMainThread) await main(...process.argv.slice(2));
else await work(workerData);

async function main(dist, file) {
  const plan = JSON.parse(readFileSync(file, 'utf8'));
  const workers = Array.from(
    { length: plan.workers },
    () => new Worker(new URL(import.meta.url), { workerData: { dist, plan } }),
  );
  const said = (worker) =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await Promise.all(workers.map(said));
  const start = performance.now();
  const before = process.cpuUsage();
  const chunks = plan.frozen.chunks.map(({ chunk }) => chunk);
  const total = { rows: 0, sum: 0 };
  const turn = async (worker) => {
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const done = said(worker);
      worker.postMessage(chunk);
      const { rows, sum } = await done;
      total.rows += rows;
      total.sum += sum;
    }
  };
  await Promise.all(workers.map(turn));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(`${JSON.stringify({ ...total, seconds, cpu: (user + system) / 1e6 })}\n`);
  process.exit();
}

async function work({ dist, plan }) {
  const { openWarehouse } = await import(`${dist}/warehouse/open.js`);
  const { openDatabase } = await import(`${dist}/duckdb/database.js`);
  const { createEncoder } = await import(`${dist}/features/encoder.js`);
  const { readFeatures } = await import(`${dist}/score/chunk-table.js`);
  const { access, frozen } = plan;
  const signal = new AbortController().signal;
  const warehouse = await openWarehouse({ ...access, environment: process.env, signal, warn: () => undefined });
  const { source } = warehouse;
  const database = await openDatabase(':memory:', { threads: 1, memory: 64e6, temporary: tmpdir() });
  const named = (names) => names.map((name) => frozen.columns.find((column) => column.name === name));
  const features = named(plan.features);
  const inputs = plan.features.map((name) => ({ name, nullable: true, default: -1, unknown: 'quarantine' }));
  const signature = { inputs: [{ name: 'features', dtype: 'float32', features: inputs }], output: { name: 'p', index: 1 } };
  const encoder = createEncoder(signature, features, BATCH_ROWS + VECTOR);
  const rejected = new Int32Array(VECTOR);
  async function* batches(chunk) {
    const columns = { passed: named(plan.passed), features, kinds: encoder.kinds };
    if ('feedChunk' in source) return yield* source.feedChunk(frozen, chunk, database, columns);
    await source.loadChunk(frozen, chunk, database);
    yield* readFeatures(database, features, encoder.kinds);
  }
  parentPort.on('message', async (chunk) => {
    const total = { rows: 0, sum: 0 };
    let open = 0;
    for await (const batch of batches(chunk)) {
      encoder.encode(batch, open, rejected.subarray(0, batch.rows));
      open += batch.rows;
      total.rows += batch.rows;
      if (open < BATCH_ROWS) continue;
      total.sum += sumOf(encoder.tensors(open));
      open = 0;
    }
    total.sum += sumOf(encoder.tensors(open));
    parentPort.postMessage(total);
  });
  parentPort.postMessage('ready');
}

/** That both readers have the same values. */
function sumOf([{ values }]) {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i];
  return sum;
}
