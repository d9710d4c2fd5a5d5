import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { measure } from '../bench/harness/measure.ts';
import { faultOf } from '../bench/harness/outcome.ts';
import { query, repository, temporaryFolder } from './support/project.ts';

// That the benchmark works and that everything it times has done the same work; how fast is not tested.

const run = promisify(execFile);
const ROWS = 20_000;
const MODELS = ['mlp', 'lgbm'];
const PYTHON = repository('.bench/venv/bin/python');
const NO_PYTHON = 'not beside the Python peer: `npm run bench -- --setup --peers python` makes its environment';
const peers = existsSync(PYTHON) ? ['python'] : [];
if (peers.length === 0 && process.env.CI === 'true') throw new Error(NO_PYTHON);

interface Measured {
  readonly name: string;
  readonly problem?: string;
  readonly rows?: number;
  readonly meanScore?: number;
  readonly rowsPerSecond?: number;
  readonly firstBatch?: number;
  readonly mainBusy?: number;
  readonly wall: number;
  readonly cpu: number;
  readonly peak: number;
}

interface Results {
  readonly results: readonly { readonly scenario: string; readonly model: string; readonly measured: readonly Measured[] }[];
}

/** What the command measured, and what it printed. */
async function bench(folder: string, ...flags: string[]): Promise<{ results: Results['results']; shown: string; out: string }> {
  const out = path.join(folder, 'results');
  const { stdout } = await run(process.execPath, [
    repository('.modules/bench/run.js'),
    ...['--peers', peers.join(',') || 'none', '--repetitions', '1', '--raw-seconds', '1', '--data', folder, '--out', out],
    ...flags,
  ]);
  const { results } = JSON.parse(await readFile(`${out}.json`, 'utf8')) as Results;
  return { results, shown: stdout, out };
}

it(`times runs that all score as the model does${peers.length === 0 ? ` (${NO_PYTHON})` : ''}`, {
  timeout: 300_000,
}, async () => {
  const folder = await temporaryFolder();
  const { results, shown, out } = await bench(folder, '--rows', String(ROWS), '--models', MODELS.join(','));
  expect(shown).toBe(await readFile(`${out}.md`, 'utf8'));
  expect(results.map(({ model }) => model)).toEqual(MODELS);
  for (const { model, measured } of results) {
    const jobs = ['core', 'full'].flatMap((job) => [`score-batch ${job}`, ...peers.map((peer) => `${peer} ${job}`)]);
    const names = [...jobs, 'raw onnxruntime'];
    expect(measured.map(({ name, problem }) => ({ name, problem }))).toEqual(names.map((name) => ({ name })));
    const mean = await meanScore(path.join(folder, String(ROWS), 'users.duckdb'), repository('bench', model, 'model.onnx'));
    for (const one of measured.filter(({ name }) => name !== 'raw onnxruntime')) {
      expect(one.rows, one.name).toBe(ROWS);
      expect(Math.abs((one.meanScore ?? Number.NaN) - mean), one.name).toBeLessThan(1e-5);
      expect(one.peak, one.name).toBeGreaterThan(50 * 2 ** 20);
      expect(one.cpu, one.name).toBeGreaterThan(0);
      if (!one.name.startsWith('score-batch')) continue;
      expect(one.firstBatch, one.name).toBeLessThan(one.wall);
      expect(one.mainBusy, one.name).toBeGreaterThan(0);
      expect(one.mainBusy, one.name).toBeLessThanOrEqual(1);
    }
    expect(measured.find(({ name }) => name === 'raw onnxruntime')?.rowsPerSecond).toBeGreaterThan(0);
  }
});

it(`scores other tables and queries as the peers do${peers.length === 0 ? ` (${NO_PYTHON})` : ''}`, {
  timeout: 300_000,
}, async () => {
  const folder = await temporaryFolder();
  const scenarios = ['weeks', 'filter', 'aggregate', 'text', 'varchar'];
  const flags = ['--scenarios', scenarios.join(','), '--rows', '3000', '--models', 'mlp', '--cases', 'full'];
  const { results, out } = await bench(folder, ...flags);
  expect(results.map(({ scenario, model }) => `${scenario} ${model}`)).toEqual(
    scenarios.map((scenario) => `${scenario} ${scenario === 'text' ? 'text' : 'mlp'}`),
  );
  const names = ['score-batch full', ...peers.map((peer) => `${peer} full`)];
  for (const { scenario, measured } of results) {
    // Equal tables and report files are asked for by the command itself.
    expect(
      measured.map(({ name, problem, rows }) => ({ name, problem, rows })),
      scenario,
    ).toEqual(names.map((name) => ({ name, rows: 3000 })));
  }
  const { stdout: chart } = await run(process.execPath, [repository('.modules/bench/plot.js'), `${out}.json`]);
  // A line per case in each of the two panels.
  expect(chart.match(/<polyline /g)).toHaveLength(2 * names.length * scenarios.length);
});

it('resumes a run that it killed at nine tenths', { timeout: 120_000 }, async () => {
  const { stdout } = await run(process.execPath, [
    repository('.modules/bench/resume.js'),
    ...['--rows', '60000', '--models', 'mlp', '--cases', 'core', '--rounds', '1', '--data', await temporaryFolder()],
  ]);
  const cells = stdout.trim().split('\n').at(-1)?.split(' | ');
  expect(cells?.slice(0, 2)).toEqual(['| mlp', 'core']);
  const again = Number.parseFloat(cells?.at(-1) ?? '');
  expect(again).toBeGreaterThanOrEqual(0);
  expect(again).toBeLessThanOrEqual(1);
});

it('holds simulated workers to their rate', { timeout: 120_000 }, async () => {
  const { stdout } = await run(process.execPath, [
    repository('.modules/bench/scaling.js'),
    ...['--rows', '20000', '--models', 'none', '--slow-workers', '2', '--slow-rate', '10000', '--scenarios', 'plain'],
    ...['--rounds', '1', '--data', await temporaryFolder()],
  ]);
  const [, , workers, , , , , ofAble] = stdout.trim().split('\n').at(-1)?.split(' | ') ?? [];
  expect(workers).toBe('2 × 10000 rows/s');
  expect(Number.parseFloat(ofAble ?? '')).toBeGreaterThan(0);
  // Nobody can be faster than allowed; how much slower is not tested.
  expect(Number.parseFloat(ofAble ?? '')).toBeLessThanOrEqual(1);
});

/** Of the users as they lie in the table, by onnxruntime alone. */
async function meanScore(users: string, model: string): Promise<number> {
  const names = Array.from({ length: 20 }, (_, k) => `f${k}`);
  const rows = await query(
    users,
    `select ${names.map((name) => `coalesce(${name}, -1)::float as ${name}`).join(', ')} from users`,
  );
  const values = Float32Array.from(rows.flatMap((row) => names.map((name) => Number(row[name]))));
  const session = await InferenceSession.create(model);
  const feeds = { features: new Tensor('float32', values, [rows.length, names.length]) };
  const { probabilities } = await session.run(feeds, ['probabilities']);
  const scores = ((probabilities as Tensor).data as Float32Array).filter((_, i) => i % 2 === 1);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

it('counts a daemon that leaves the tree of a command, and ends it before the next case', async () => {
  const daemon = `const kept = Buffer.alloc(200 * 2 ** 20, 1);
    while (process.cpuUsage().user < 500_000) kept[0] += 1;
    console.log('done');
    setInterval(() => kept[0], 1000)`;
  const started = await measure({
    command: 'bash',
    args: [
      '-c',
      `setsid --fork "$0" -e "$1" > daemon.log 2>&1; until grep -q done daemon.log; do sleep 0.1; done`,
      process.execPath,
      daemon,
    ],
    cwd: await temporaryFolder(),
  });
  expect(started.problem).toBeUndefined();
  expect(started.peak).toBeGreaterThan(200 * 2 ** 20);
  expect(started.cpu).toBeGreaterThan(0.4);
  const { stdout } = await run('ps', ['-A', '-o', 'args']);
  expect(stdout).not.toContain('const kept = Buffer.alloc(200');
});

it('reports a run whose work is not the work as failed', async () => {
  const done = (changes: object = {}) => ({
    ...{ rows: 10, meanScore: 0.5, tables: { churn_scores: { layout: 'user_id BIGINT', checksum: '1' } }, csv: 'aa' },
    ...changes,
  });
  expect(faultOf(done({ rows: 9 }), 10)).toBe('wrote 9 rows instead of 10');
  expect(faultOf(done(), 10, { meanScore: 0.5002 })).toBe('has a mean score of 0.5 where another has 0.5002');
  expect(faultOf(done(), 10, { meanScore: 0.50005 })).toBeUndefined();
  expect(faultOf(done(), 10, done())).toBeUndefined();
  expect(faultOf(done(), 10, done({ csv: 'bb' }))).toBe('wrote another report file than another');
  const scores = (layout: string, checksum: string) => done({ tables: { churn_scores: { layout, checksum } } });
  expect(faultOf(done(), 10, scores('user_id BIGINT', '2'))).toBe('has other rows in churn_scores than another');
  expect(faultOf(done(), 10, scores('user_id VARCHAR', '1'))).toMatch(/^has the columns user_id BIGINT in churn_scores where/);
  expect(faultOf(done({ tables: {} }), 10, done())).toBe('lacks the table churn_scores, unlike another');
  const broken = await measure({ command: 'bash', args: ['-c', 'echo no model >&2; exit 3'], cwd: '.' });
  expect(broken.problem).toBe('ended with 3: no model');
});

it('refuses flags that it does not know what to do with', async () => {
  const refused = async (...args: string[]) =>
    await run(process.execPath, [repository('.modules/bench/run.js'), ...args]).then(
      () => undefined,
      ({ code, stderr }) => `${code} ${stderr.split('\n')[0]}`,
    );
  expect(await refused('--peers', 'dask')).toBe('64 error: --peers has dask, and knows python, daft, ray, pyspark');
  expect(await refused('--scenarios', 'joins')).toBe(
    '64 error: --scenarios has joins, and knows plain, weeks, filter, aggregate, text, varchar',
  );
  expect(await refused('--rows', '1e6')).toBe('64 error: --rows has 1e6, and takes whole numbers from 1');
  expect(await refused('--provider', 'cuda,cpu')).toBe('64 error: --provider takes one of cpu, cuda, tensorrt, webgpu');
  expect(await refused('--runs', '3')).toMatch(/^64 error: Unknown option '--runs'/);
});
