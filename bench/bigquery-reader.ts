// Reads the frozen week as chunk workers do, and encodes its features: `node .modules/bench/bigquery-reader.js MODULES PLAN`.
// MODULES is the plain compilation of this or another checkout.
//
// Prints {"rows": …, "sum": …, "seconds": …, "cpu": …} for the read alone, without the start of Node. For bench/bigquery.ts.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import type { FrozenTable } from '../src/domain/frozen-table.ts';
import type { Column } from '../src/domain/schema.ts';
import type { Signature } from '../src/domain/signature.ts';
import type { WarehouseAccess } from '../src/warehouse/warehouse.ts';

/** What to read; bench/bigquery.ts writes it to a file. */
export interface ReadPlan {
  readonly access: WarehouseAccess;
  readonly frozen: FrozenTable;
  /** Names of the columns to pass through, and of those that feed the features. */
  readonly passed: readonly string[];
  readonly features: readonly string[];
  /** Address of the emulator's gRPC, for the Python reader. */
  readonly grpc: string;
  readonly workers: number;
}

/** What was read: rows, and the sum of all values to compare readers by. */
export interface Total {
  rows: number;
  sum: number;
}

interface Task {
  readonly modules: string;
  readonly plan: ReadPlan;
}

const BATCH_ROWS = 16_384;
/** Rows by which a batch can exceed its size. */
const VECTOR = 2048;

const [modules = '', file = ''] = process.argv.slice(2);
if (isMainThread) await main(modules, file);
else if (parentPort) await work(parentPort, workerData as Task);

async function main(modules: string, file: string): Promise<void> {
  const plan = JSON.parse(readFileSync(file, 'utf8')) as ReadPlan;
  const workerData: Task = { modules, plan };
  const workers = Array.from({ length: plan.workers }, () => new Worker(new URL(import.meta.url), { workerData }));
  const said = (worker: Worker) =>
    new Promise<Total>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await Promise.all(workers.map(said));
  const start = performance.now();
  const before = process.cpuUsage();
  const chunks = plan.frozen.chunks.map(({ chunk }) => chunk);
  const total = { rows: 0, sum: 0 };
  const turn = async (worker: Worker) => {
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

async function work(port: MessagePort, { modules, plan }: Task): Promise<void> {
  const compiled = async <M>(name: string) => (await import(pathToFileURL(`${modules}/${name}`).href)) as M;
  const { openWarehouse } = await compiled<typeof import('../src/warehouse/open.ts')>('warehouse/open.js');
  const { openDatabase } = await compiled<typeof import('../src/duckdb/database.ts')>('duckdb/database.js');
  const { createEncoder } = await compiled<typeof import('../src/features/encoder.ts')>('features/encoder.js');
  const { canFeed } = await compiled<typeof import('../src/warehouse/feeding.ts')>('warehouse/feeding.js');
  const { access, frozen } = plan;
  const signal = new AbortController().signal;
  const warehouse = await openWarehouse({ ...access, environment: process.env, signal, warn: () => undefined });
  const { source } = warehouse;
  if (!canFeed(source)) throw new Error(`${access.url} does not feed its rows`);
  const database = await openDatabase(':memory:', { threads: 1, memory: 64e6, temporary: tmpdir() });
  const named = (names: readonly string[]): Column[] =>
    names.flatMap((name) => frozen.columns.find((column) => column.name === name) ?? []);
  const features = named(plan.features);
  const inputs = plan.features.map((name) => ({ name, nullable: true, default: -1, unknown: 'quarantine' as const }));
  const signature: Signature = {
    inputs: [{ name: 'features', dtype: 'float32', features: inputs }],
    output: { name: 'p', index: 1 },
  };
  const encoder = createEncoder(signature, features, BATCH_ROWS + VECTOR);
  const rejected = new Int32Array(VECTOR);
  const columns = { passed: named(plan.passed), features, kinds: encoder.kinds };
  port.on('message', async (chunk: number) => {
    const total: Total = { rows: 0, sum: 0 };
    let open = 0;
    for await (const batch of source.feedChunk(frozen, chunk, database, columns)) {
      encoder.encode(batch, open, rejected.subarray(0, batch.rows));
      open += batch.rows;
      total.rows += batch.rows;
      if (open < BATCH_ROWS) continue;
      total.sum += sumOf(encoder.tensors(open));
      open = 0;
    }
    total.sum += sumOf(encoder.tensors(open));
    port.postMessage(total);
  });
  port.postMessage('ready');
}

/** Shows that both readers got the same values. */
function sumOf([tensor]: readonly { readonly values: ArrayLike<unknown> }[]): number {
  if (!(tensor?.values instanceof Float32Array)) throw new TypeError('the features are not float32');
  const { values } = tensor;
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i] ?? 0;
  return sum;
}
