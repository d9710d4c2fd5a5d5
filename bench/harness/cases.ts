import path from 'node:path';
import { clearPublished, countScores, publishedWork } from './outcome.mjs';
import { SCENARIOS } from './scenarios.mjs';

// What is run: each case is a command, what clears the way for it, and how its work is looked at afterwards.

const WEEK = '2026-W32';
/** Where neither a flag nor a run of score-batch before says it. */
const RAW_BATCH_ROWS = 8192;
const RAW = 'raw';
/** The files of the jobs by case: core has what the peers do as well, full all that the weekly job does. */
const JOBS = { core: 'core', full: 'bench' };
/** Scripts by the case that they do. */
const PEERS = {
  python: { scripts: { core: 'python_duckdb.py', full: 'python_full.py' }, packages: [] },
  daft: { scripts: { core: 'daft_udf.py' }, packages: ['daft'], parquet: true },
  ray: { scripts: { core: 'ray_data.py' }, packages: ['ray', 'pandas', 'setuptools'], parquet: true },
  pyspark: { scripts: { core: 'pyspark_udf.py' }, packages: ['pyspark', 'pandas', 'setuptools'], parquet: true },
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
 * All cases of one table and one model, in the order of a round: what is compared runs one after the other.
 *
 * @param setting root of the repository, folder of the data, model, scenario (default plain), and the flags
 */
export function casesOf({ scenario = 'plain', ...rest }) {
  const setting = { scenario, ...rest };
  const { flags } = setting;
  const jobs = flags.cases.filter((name) => name !== RAW);
  const ofPeers = jobs.length > 0 ? jobs : ['core'];
  const peers = flags.peers.filter((peer) => scenario === 'plain' || !PEERS[peer].parquet);
  const doing = (job) =>
    peers.filter((peer) => PEERS[peer].scripts[job] !== undefined).map((peer) => peerCase(setting, peer, job));
  return [
    ...ofPeers.flatMap((job) => [...(jobs.includes(job) ? [scoreBatchCase(setting, job)] : []), ...doing(job)]),
    ...(scenario === 'plain' && flags.rawSeconds > 0 ? [rawCase(setting)] : []),
  ].map((one) => ({ prepare: () => clearPublished(path.join(setting.data, 'users.duckdb')), ...one }));
}

function scoreBatchCase({ root, data, model, scenario, flags }, name) {
  const warehouse = path.join(data, 'users.duckdb');
  const optional = { BENCH_WORKERS: flags.workers, BENCH_BATCH_ROWS: flags.batchRows };
  return {
    name: `score-batch ${name}`,
    kind: 'score-batch',
    job: name,
    command: process.execPath,
    args: [
      '--import',
      path.join(root, 'bench/harness/preload.mjs'),
      path.join(root, 'dist/cli.js'),
      ...['--job', JOBS[name], '--week', WEEK, '--json', '-q'],
    ],
    cwd: path.join(root, 'bench'),
    environment: {
      WAREHOUSE_URL: `duckdb:${warehouse}`,
      REPORTS: path.join(data, 'reports'),
      BENCH_MODEL: model,
      BENCH_QUERY: SCENARIOS[scenario].query,
      BENCH_PROVIDER: flags.provider,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    },
    async outcome({ stdout }) {
      const summary = JSON.parse(stdout.trim().split('\n').at(-1));
      const { seconds, bottleneck, rows_per_second: rates } = summary;
      return { ...(await publishedWork(warehouse, reportOf(data))), stages: seconds, bottleneck, rates };
    },
  };
}

/** A peer's environment is `.bench/venv`. */
function peerCase({ root, data, model, scenario, flags }, peer, job) {
  const { scripts, parquet } = PEERS[peer];
  return {
    name: parquet ? peer : `${peer} ${job}`,
    kind: 'peer',
    job,
    peer,
    command: path.join(root, '.bench/venv/bin/python'),
    args: [
      path.join(root, 'bench/peers', scripts[job]),
      data,
      path.join(root, 'bench', model, 'model.onnx'),
      ...['--workers', String(flags.parallelism)],
      ...(parquet ? [] : ['--provider', flags.peerProvider, '--query', path.join(root, 'bench', SCENARIOS[scenario].query)]),
    ],
    cwd: data,
    async outcome({ stdout }) {
      const { seconds } = JSON.parse(stdout.trim().split('\n').at(-1));
      const work = parquet
        ? await countScores(path.join(data, `out_${peer}`, '*.parquet'))
        : await publishedWork(path.join(data, 'users.duckdb'), reportOf(data));
      return { ...work, stages: seconds };
    },
  };
}

function reportOf(data) {
  return path.join(data, 'reports', `bench-${WEEK}.csv`);
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
