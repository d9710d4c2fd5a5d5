import path from 'node:path';
import { clearPublished, countScores } from './outcome.mjs';

// What is run: each case is a command, what clears the way for it, and how its work is looked at afterwards.

const WEEK = '2026-W32';
/** Where neither a flag nor a run of score-batch before says it. */
const RAW_BATCH_ROWS = 8192;
const PEERS = {
  python: { script: 'python_duckdb.py', packages: [] },
  daft: { script: 'daft_udf.py', packages: ['daft'], parquet: true },
  ray: { script: 'ray_data.py', packages: ['ray', 'pandas', 'setuptools'], parquet: true },
  pyspark: { script: 'pyspark_udf.py', packages: ['pyspark', 'pandas', 'setuptools'], parquet: true },
};
const PACKAGES_OF_ALL = ['duckdb', 'onnxruntime', 'numpy', 'pyarrow'];

/** Names of the Python packages that these peers import. */
export function packagesOf(peers) {
  return [...new Set([...PACKAGES_OF_ALL, ...peers.flatMap((peer) => PEERS[peer].packages)])];
}

/** Whether one of these peers reads Parquet instead of the DuckDB file. */
export function needParquet(peers) {
  return peers.some((peer) => PEERS[peer].parquet);
}

/**
 * All cases of one table and one model, in the order of a round.
 *
 * @param setting root of the repository, folder of the data, model, and the flags
 */
export function casesOf(setting) {
  const { flags } = setting;
  return [
    ...flags.cases.map((name) => scoreBatchCase(setting, name)),
    ...(flags.rawSeconds > 0 ? [rawCase(setting)] : []),
    ...flags.peers.map((peer) => peerCase(setting, peer)),
  ].map((one) => ({ prepare: () => clearPublished(path.join(setting.data, 'users.duckdb')), ...one }));
}

function scoreBatchCase({ root, data, model, flags }, name) {
  const warehouse = path.join(data, 'users.duckdb');
  const optional = { BENCH_WORKERS: flags.workers, BENCH_BATCH_ROWS: flags.batchRows };
  const job = { core: 'core', full: 'bench' }[name];
  return {
    name: `score-batch ${name}`,
    kind: 'score-batch',
    command: process.execPath,
    args: [
      '--import',
      path.join(root, 'bench/harness/preload.mjs'),
      path.join(root, 'dist/cli.js'),
      ...['--job', job, '--week', WEEK, '--json', '-q'],
    ],
    cwd: path.join(root, 'bench'),
    environment: {
      WAREHOUSE_URL: `duckdb:${warehouse}`,
      REPORTS: path.join(data, 'reports'),
      BENCH_MODEL: model,
      BENCH_PROVIDER: flags.provider,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    },
    async outcome({ stdout }) {
      const { seconds, bottleneck } = JSON.parse(stdout.trim().split('\n').at(-1));
      const scores = await countScores(warehouse, 'marketing.churn_scores', 'churn_propensity');
      return { ...scores, stages: seconds, bottleneck };
    },
  };
}

/** A peer's environment is `.bench/venv`. */
function peerCase({ root, data, model, flags }, name) {
  const { script, parquet } = PEERS[name];
  const warehouse = path.join(data, 'users.duckdb');
  return {
    name,
    kind: 'peer',
    command: path.join(root, '.bench/venv/bin/python'),
    args: [
      path.join(root, 'bench/peers', script),
      data,
      path.join(root, 'bench', model, 'model.onnx'),
      ...['--workers', String(flags.parallelism)],
      ...(name === 'python' ? ['--provider', flags.peerProvider] : []),
    ],
    cwd: data,
    async outcome({ stdout }) {
      const { seconds } = JSON.parse(stdout.trim().split('\n').at(-1));
      const scores = parquet
        ? await countScores(':memory:', `'${path.join(data, `out_${name}`).replaceAll("'", "''")}/*.parquet'`, 'score')
        : await countScores(warehouse, 'peer_scores', 'score');
      return { ...scores, stages: seconds };
    },
  };
}

function rawCase({ root, data, model, flags }) {
  // Two threads on one device of WebGPU crash, and one is enough for a GPU.
  const workers = flags.provider === 'cpu' ? flags.parallelism : 1;
  return {
    name: 'raw onnxruntime',
    kind: 'raw',
    async prepare() {},
    command: process.execPath,
    /** With as many threads and rows as score-batch had just before, whatever it took for `auto`. */
    argsAfter: (before) => [
      path.join(root, 'bench/harness/raw-rate.mjs'),
      path.join(data, 'users.duckdb'),
      path.join(root, 'bench', model, 'model.onnx'),
      ...[before?.workers ?? workers, before?.batchRows ?? flags.batchRows ?? RAW_BATCH_ROWS, flags.rawSeconds].map(String),
      flags.provider,
    ],
    cwd: root,
    async outcome({ stdout }) {
      return JSON.parse(stdout);
    },
  };
}
