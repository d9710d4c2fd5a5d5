// What it takes to read frozen rows from BigQuery into the matrix of a model: the chunk workers' way beside a plain Python reader
// of the same rows from the same emulator, A B A B … in one call. The tests make the emulator's Python environment; run them once.
//
//   npm run bench:bigquery -- --rows 1000000 --runs 5
//   npm run bench:bigquery -- --base ../base       # also another checkout that is built
//
// The emulator shares the machine's cores with what is measured: figures compare the readers and say nothing of Google's.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataFolder, output, python, startWithUsers } from './bench-emulator.mjs';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    base: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const rows = Number(flags.rows);
const say = (text) => process.stdout.write(`${text}\n`);

const emulator = await startWithUsers(rows);
try {
  const plan = path.join(dataFolder(rows), 'bigquery.json');
  writeFileSync(plan, JSON.stringify({ ...(await freeze()), grpc: emulator.grpc, workers: Number(flags.workers) }));
  const node = (dist) => () => output(process.execPath, [path.join(root, 'bench/bigquery_reader.mjs'), dist, plan], ours());
  const readers = {
    'score-batch': node(path.join(root, 'dist')),
    ...(flags.base && { [flags.base]: node(path.resolve(flags.base, 'dist')) }),
    python: () => output(python, [path.join(root, 'bench/bigquery_reader.py'), plan], {}),
  };
  const measured = Object.fromEntries(Object.keys(readers).map((name) => [name, []]));
  for (let run = 0; run < Number(flags.runs); run += 1) {
    for (const [name, read] of Object.entries(readers)) measured[name].push(JSON.parse(await read()));
  }
  for (const [name, runs] of Object.entries(measured)) show(name, runs, measured.python);
} finally {
  emulator.stop();
}

function show(name, runs, peer) {
  const wrong = runs.find((run) => run.rows !== rows);
  if (wrong) throw new Error(`${name} read ${wrong.rows} of ${rows} rows`);
  if (Math.abs(runs[0].sum / peer[0].sum - 1) > 1e-6) throw new Error(`${name} read other values: ${runs[0].sum}`);
  const figures = ['seconds', 'cpu'].map((part) => {
    const values = runs.map((run) => run[part]);
    const ratio = median(runs.map((run, i) => run[part] / peer[i][part]));
    return `${part} ${median(values).toFixed(2)} (${values.map((value) => value.toFixed(2)).join(' ')}), ${ratio.toFixed(2)} of python's`;
  });
  say(`${name}: ${Math.round(rows / median(runs.map(({ seconds }) => seconds)))} rows/s; ${figures.join('; ')}`);
}

/** The users frozen as a run freezes them. @returns the frozen table and what is read of it */
async function freeze() {
  Object.assign(process.env, ours());
  const { openWarehouse } = await import(`${root}dist/warehouse/open.js`);
  const access = { url: 'bigquery://bench/shop', job: 'bench', root, scratch: 'score_batch_scratch', memory: 1e9 };
  const signal = new AbortController().signal;
  const warehouse = await openWarehouse({ ...access, maxBytes: undefined, environment: process.env, signal, warn: say });
  const features = Array.from({ length: 20 }, (_, k) => `f${k}`);
  const passed = ['user_id', 'country', 'plan'];
  const query = { name: 'users', texts: [`select ${[...passed, ...features].join(', ')} from shop.users`], parameters: [] };
  const columns = await warehouse.source.describe(query);
  const options = { runId: 'bench', key: columns.slice(0, 1), columns, chunkRows: 250_000, hash: 'md5' };
  const frozen = await warehouse.source.freeze(query, options);
  await warehouse.close();
  return { access, frozen, passed, features };
}

function ours() {
  return {
    BIGQUERY_EMULATOR_HOST: emulator.rest,
    BIGQUERY_STORAGE_EMULATOR_HOST: emulator.grpc,
    METADATA_SERVER_DETECTION: 'none',
  };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
