// Cost of reading frozen rows from BigQuery into a model's matrix: as chunk workers do, and with a plain Python reader of the
// same rows from the same emulator, A B A B … in one call. The tests create the emulator's Python environment; run them once.
//
//   npm run bench:bigquery -- --rows 1000000 --runs 5
//   npm run bench:bigquery -- --base ../base       # also another checkout that is built
//
// The emulator shares the cores with the readers: figures compare the readers and say nothing about Google's service.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import { openWarehouse } from '../src/warehouse/open.ts';
import type { ReadPlan, Total } from './bigquery-reader.ts';
import { dataFolder, output, python, startWithUsers } from './emulator.ts';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    base: { type: 'string' },
  },
});
const rows = Number(flags.rows);
const say = (text: string) => process.stdout.write(`${text}\n`);

const emulator = await startWithUsers(rows);
try {
  const plan = path.join(dataFolder(rows), 'bigquery.json');
  const whole: ReadPlan = { ...(await freeze()), grpc: emulator.grpc, workers: Number(flags.workers) };
  writeFileSync(plan, JSON.stringify(whole));
  const reader = path.join(ROOT, '.modules/bench/bigquery-reader.js');
  const node = (checkout: string) => () => output(process.execPath, [reader, modulesOf(checkout), plan], ours());
  const readers: Record<string, () => Promise<string>> = {
    'score-batch': node(ROOT),
    ...(flags.base && { [flags.base]: node(path.resolve(flags.base)) }),
    python: () => output(python, [path.join(ROOT, 'bench/bigquery_reader.py'), plan], {}),
  };
  const measured = new Map<string, Reading[]>(Object.keys(readers).map((name) => [name, []]));
  for (let run = 0; run < Number(flags.runs); run += 1) {
    for (const [name, read] of Object.entries(readers)) measured.get(name)?.push(JSON.parse(await read()) as Reading);
  }
  for (const [name, runs] of measured) show(name, runs, measured.get('python') ?? []);
} finally {
  emulator.stop();
}

/** One run of a reader. */
interface Reading extends Total {
  readonly seconds: number;
  readonly cpu: number;
}

/** The compiled sources of a checkout. Older ones compile them directly into `.modules`. */
function modulesOf(checkout: string): string {
  const modules = path.join(checkout, '.modules');
  return existsSync(path.join(modules, 'src')) ? path.join(modules, 'src') : modules;
}

function show(name: string, runs: readonly Reading[], peer: readonly Reading[]): void {
  const wrong = runs.find((run) => run.rows !== rows);
  if (wrong) throw new Error(`${name} read ${wrong.rows} of ${rows} rows`);
  const [sum, wanted] = [runs[0]?.sum ?? Number.NaN, peer[0]?.sum ?? Number.NaN];
  if (!(Math.abs(sum / wanted - 1) <= 1e-6)) throw new Error(`${name} read other values: ${sum}`);
  const figures = (['seconds', 'cpu'] as const).map((part) => {
    const values = runs.map((run) => run[part]);
    const ratio = median(runs.map((run, i) => run[part] / (peer[i]?.[part] ?? Number.NaN)));
    return `${part} ${median(values).toFixed(2)} (${values.map((value) => value.toFixed(2)).join(' ')}), ${ratio.toFixed(2)} of python's`;
  });
  say(`${name}: ${Math.round(rows / median(runs.map(({ seconds }) => seconds)))} rows/s; ${figures.join('; ')}`);
}

/** Freezes the users as a run does. @returns the frozen table and what to read from it */
async function freeze(): Promise<Omit<ReadPlan, 'grpc' | 'workers'>> {
  Object.assign(process.env, ours());
  const access = {
    url: 'bigquery://bench/shop',
    job: 'bench',
    root: ROOT,
    scratch: 'score_batch_scratch',
    memory: 1e9,
    maxBytes: undefined,
  };
  const signal = new AbortController().signal;
  const warehouse = await openWarehouse({ ...access, environment: process.env, signal, warn: say });
  const features = Array.from({ length: 20 }, (_, k) => `f${k}`);
  const passed = ['user_id', 'country', 'plan'];
  const query = { name: 'users', texts: [`select ${[...passed, ...features].join(', ')} from shop.users`], parameters: [] };
  const columns = await warehouse.source.describe(query);
  const options = { runId: 'bench', key: columns.slice(0, 1), columns, chunkRows: 250_000, hash: 'md5' as const };
  const frozen = await warehouse.source.freeze(query, options);
  await warehouse.close();
  return { access, frozen, passed, features };
}

function ours(): Record<string, string> {
  return {
    BIGQUERY_EMULATOR_HOST: emulator.rest,
    BIGQUERY_STORAGE_EMULATOR_HOST: emulator.grpc,
    METADATA_SERVER_DETECTION: 'none',
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
