import path from 'node:path';
import type { Rates } from '../../src/domain/speed.ts';
import type { Flags, Peer } from './flags.ts';
import type { Command } from './measure.ts';
import { clearPublished, countScores, publishedWork, type Work } from './outcome.ts';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';

// What to run: each case is a command, its preparation, and how to inspect its work afterwards.

export type Job = 'core' | 'full';

/** What cases are made from. */
interface Setting<F> {
  /** The repository. */
  readonly root: string;
  /** Folder of `users.duckdb`. */
  readonly data: string;
  readonly model: string;
  /** Default: `plain`. */
  readonly scenario?: ScenarioName;
  readonly flags: F;
}

type JobFlags = Pick<Flags, 'provider'> & Partial<Pick<Flags, 'workers' | 'batchRows'>>;
export type CaseFlags = Pick<
  Flags,
  'cases' | 'peers' | 'workers' | 'parallelism' | 'batchRows' | 'provider' | 'peerProvider' | 'rawSeconds'
>;

/** Seconds by stage. */
type Stages = Readonly<Record<string, number>>;

interface PeerOutcome extends Work {
  readonly stages: Stages;
}

export interface JobOutcome extends PeerOutcome {
  readonly bottleneck: string;
  readonly rates: Rates;
}

interface RawOutcome {
  readonly rowsPerSecond: number;
  readonly threads: number;
  readonly batchRows: number;
}

interface Timed<O> {
  readonly name: string;
  /** Clears the way for the command. */
  prepare(): Promise<void>;
  /** Inspects what the command did. */
  outcome(ran: { readonly stdout: string }): Promise<O>;
}

/** A job by score-batch. */
export interface JobCase extends Command, Timed<JobOutcome> {
  readonly kind: 'score-batch';
  readonly job: Job;
}

/** A job by other means. */
interface PeerCase extends Command, Timed<PeerOutcome> {
  readonly kind: 'peer';
  readonly job: Job;
  readonly peer: Peer;
}

/** The model alone. */
interface RawCase extends Omit<Command, 'args'>, Timed<RawOutcome> {
  readonly kind: 'raw';
  /** @param before the previous run of score-batch; its number of workers and rows per batch are used */
  argsAfter(before: { readonly workers?: number; readonly batchRows?: number } | undefined): readonly string[];
}

export type Case = JobCase | PeerCase | RawCase;

interface PeerScripts {
  /** By the job they do. */
  readonly scripts: Readonly<Partial<Record<Job, string>>>;
  /** What they import besides `PACKAGES_OF_ALL`. */
  readonly packages: readonly string[];
  /** Whether they read Parquet instead of the DuckDB file. */
  readonly parquet?: boolean;
}

const WEEK = '2026-W32';
/** If neither a flag nor a previous run of score-batch determines it. */
const RAW_BATCH_ROWS = 8192;
const RAW = 'raw';
/** Job files by case: core does what the peers can do as well, full is the whole weekly job. */
const JOBS: Readonly<Record<Job, string>> = { core: 'core', full: 'bench' };
const PEERS: Readonly<Record<Peer, PeerScripts>> = {
  python: { scripts: { core: 'python_duckdb.py', full: 'python_full.py' }, packages: [] },
  daft: { scripts: { core: 'daft_udf.py' }, packages: ['daft'], parquet: true },
  ray: { scripts: { core: 'ray_data.py' }, packages: ['ray', 'pandas', 'setuptools'], parquet: true },
  pyspark: { scripts: { core: 'pyspark_udf.py' }, packages: ['pyspark', 'pandas', 'setuptools'], parquet: true },
};
const PACKAGES_OF_ALL = ['duckdb', 'onnxruntime', 'numpy', 'pyarrow'];

/** Python packages that these peers import. */
export function packagesOf(peers: readonly Peer[]): string[] {
  return [...new Set([...PACKAGES_OF_ALL, ...peers.flatMap((peer) => PEERS[peer].packages)])];
}

/** Whether any of these peers reads Parquet instead of the DuckDB file. */
export function needParquet(peers: readonly Peer[]): boolean {
  return peers.some((peer) => PEERS[peer].parquet === true);
}

/** All cases of one table and one model, in the order of a round: cases to be compared run one after the other. */
export function casesOf(setting: Setting<CaseFlags>): Case[] {
  const { flags, scenario = 'plain' } = setting;
  const jobs = flags.cases.filter((name) => name !== RAW);
  const ofPeers: readonly Job[] = jobs.length > 0 ? jobs : ['core'];
  const peers = flags.peers.filter((peer) => scenario === 'plain' || !PEERS[peer].parquet);
  const doing = (job: Job) =>
    peers.flatMap((peer) => {
      const script = PEERS[peer].scripts[job];
      return script === undefined ? [] : [peerCase(setting, peer, job, script)];
    });
  return [
    ...ofPeers.flatMap((job) => [...(jobs.includes(job) ? [jobCase(setting, job)] : []), ...doing(job)]),
    ...(scenario === 'plain' && flags.rawSeconds > 0 ? [rawCase(setting)] : []),
  ];
}

/** One of the jobs by score-batch. */
export function jobCase({ root, data, model, scenario = 'plain', flags }: Setting<JobFlags>, name: Job): JobCase {
  const warehouse = path.join(data, 'users.duckdb');
  const optional = { BENCH_WORKERS: flags.workers, BENCH_BATCH_ROWS: flags.batchRows };
  return {
    name: `score-batch ${name}`,
    kind: 'score-batch',
    job: name,
    prepare: () => clearPublished(warehouse),
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
      ...Object.fromEntries(
        Object.entries(optional).flatMap(([variable, value]) => (value === undefined ? [] : [[variable, String(value)]])),
      ),
    },
    async outcome({ stdout }) {
      const { seconds, bottleneck, rows_per_second: rates } = lastLine<Summary>(stdout);
      return { ...(await publishedWork(warehouse, reportOf(data))), stages: seconds, bottleneck, rates };
    },
  };
}

/** A peer's environment is `.bench/venv`. */
function peerCase(setting: Setting<CaseFlags>, peer: Peer, job: Job, script: string): PeerCase {
  const { root, data, model, scenario = 'plain', flags } = setting;
  const { parquet } = PEERS[peer];
  return {
    name: parquet ? peer : `${peer} ${job}`,
    kind: 'peer',
    job,
    peer,
    prepare: () => clearPublished(path.join(data, 'users.duckdb')),
    command: path.join(root, '.bench/venv/bin/python'),
    args: [
      path.join(root, 'bench/peers', script),
      data,
      path.join(root, 'bench', model, 'model.onnx'),
      ...['--workers', String(flags.parallelism)],
      ...(parquet ? [] : ['--provider', flags.peerProvider, '--query', path.join(root, 'bench', SCENARIOS[scenario].query)]),
    ],
    cwd: data,
    async outcome({ stdout }) {
      const { seconds } = lastLine<Pick<Summary, 'seconds'>>(stdout);
      const work = parquet
        ? await countScores(path.join(data, `out_${peer}`, '*.parquet'))
        : await publishedWork(path.join(data, 'users.duckdb'), reportOf(data));
      return { ...work, stages: seconds };
    },
  };
}

/** What score-batch and the peers print at the end, as far as it is used here. */
interface Summary {
  readonly seconds: Stages;
  readonly bottleneck: string;
  readonly rows_per_second: JobOutcome['rates'];
}

function lastLine<T>(stdout: string): T {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

function reportOf(data: string): string {
  return path.join(data, 'reports', `bench-${WEEK}.csv`);
}

function rawCase({ root, data, model, flags }: Setting<CaseFlags>): RawCase {
  // Two threads on one WebGPU device crash, and one is enough for a GPU.
  const workers = flags.provider === 'cpu' ? flags.parallelism : 1;
  return {
    name: 'raw onnxruntime',
    kind: 'raw',
    // It reads what earlier cases left unchanged.
    prepare: async () => undefined,
    command: process.execPath,
    /** Uses as many threads and rows as score-batch just had, whatever it chose for `auto`. */
    argsAfter: (before) => [
      path.join(root, '.modules/bench/harness/raw-rate.js'),
      path.join(data, 'users.duckdb'),
      path.join(root, 'bench', model, 'model.onnx'),
      ...[before?.workers ?? workers, before?.batchRows ?? flags.batchRows ?? RAW_BATCH_ROWS, flags.rawSeconds].map(String),
      flags.provider,
    ],
    cwd: root,
    async outcome({ stdout }) {
      return lastLine<RawOutcome>(stdout);
    },
  };
}
