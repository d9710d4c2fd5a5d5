import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { measure } from '../bench/harness/measure.mjs';
import { faultOf } from '../bench/harness/outcome.mjs';
import { query, repository, temporaryFolder } from './support/project.ts';

// That the benchmark works and that everything it times has done the same work; how fast is no test.

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
  readonly results: readonly { readonly model: string; readonly measured: readonly Measured[] }[];
}

it(`times runs that all score as the model does${peers.length === 0 ? ` (${NO_PYTHON})` : ''}`, {
  timeout: 300_000,
}, async () => {
  const folder = await temporaryFolder();
  const out = path.join(folder, 'results');
  const { stdout } = await run(process.execPath, [
    repository('scripts/bench.mjs'),
    ...['--rows', String(ROWS), '--models', MODELS.join(','), '--peers', peers.join(',') || 'none'],
    ...['--repetitions', '1', '--raw-seconds', '1', '--data', folder, '--out', out],
  ]);
  expect(stdout).toBe(await readFile(`${out}.md`, 'utf8'));
  const { results } = JSON.parse(await readFile(`${out}.json`, 'utf8')) as Results;
  expect(results.map(({ model }) => model)).toEqual(MODELS);
  for (const { model, measured } of results) {
    const names = ['score-batch core', 'score-batch full', 'raw onnxruntime', ...peers];
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
    setInterval(() => kept[0], 1000)`;
  const started = await measure({
    command: 'bash',
    args: ['-c', `setsid --fork "$0" -e "$1" > daemon.log 2>&1; sleep 0.3`, process.execPath, daemon],
    cwd: await temporaryFolder(),
  });
  expect(started.problem).toBeUndefined();
  expect(started.peak).toBeGreaterThan(200 * 2 ** 20);
  expect(started.cpu).toBeGreaterThan(0.4);
  const { stdout } = await run('ps', ['-A', '-o', 'args']);
  expect(stdout).not.toContain('const kept = Buffer.alloc(200');
});

it('reports a run whose work is not the work as failed', async () => {
  expect(faultOf({ rows: 9, meanScore: 0.5 }, 10, undefined)).toBe('wrote 9 rows instead of 10');
  expect(faultOf({ rows: 10, meanScore: 0.5 }, 10, 0.5002)).toBe('has a mean score of 0.5 where another has 0.5002');
  expect(faultOf({ rows: 10, meanScore: 0.5 }, 10, 0.50005)).toBeUndefined();
  const broken = await measure({ command: 'bash', args: ['-c', 'echo no model >&2; exit 3'], cwd: '.' });
  expect(broken.problem).toBe('ended with 3: no model');
});

it('refuses flags that it does not know what to do with', async () => {
  const refused = async (...args: string[]) =>
    await run(process.execPath, [repository('scripts/bench.mjs'), ...args]).then(
      () => undefined,
      ({ code, stderr }) => `${code} ${stderr.split('\n')[0]}`,
    );
  expect(await refused('--peers', 'dask')).toBe('64 error: --peers has dask, and knows python, daft, ray, pyspark');
  expect(await refused('--rows', '1e6')).toBe('64 error: --rows has 1e6, and takes whole numbers from 1');
  expect(await refused('--provider', 'cuda,cpu')).toBe('64 error: --provider takes one of cpu, cuda, tensorrt, webgpu');
  expect(await refused('--runs', '3')).toMatch(/^64 error: Unknown option '--runs'/);
});
