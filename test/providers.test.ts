import { describe, expect, inject, it } from 'vitest';
import { type LinearOptions, linearProject } from './support/linear-project.ts';
import { repository } from './support/project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatchProcess } from './support/score-batch.ts';

const RUN = ['--week', '--json'];

const OUT_OF_MEMORY =
  "Non-zero status code returned while running MatMul node. Name:'' Status Message: bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 2147483648";

/** Ten chunks of a batch each, or a chunk of ten batches: what matters to a run that resumes another. */
const WAYS = [
  { freeze: 'always', chunks: 10, chunks_resumed: 3 },
  { freeze: 'never', chunks: 1, chunks_resumed: 0 },
] as const;

/** Each batch is ten rows. */
function projectOf(freeze: 'always' | 'never'): Promise<string> {
  return project('[webgpu]', {
    edit: (job) =>
      job.replace('source:\n', `source:\n  freeze: ${freeze}\n`).replace('chunk_rows: 10', 'chunk_rows: 10\n  batch_rows: 10'),
  });
}

function project(providers: string, options: LinearOptions = {}): Promise<string> {
  return linearProject({ ...options, edit: (job) => (options.edit ?? ((same) => same))(job.replace('[cpu]', providers)) });
}

/** The environment of a process whose devices fail as `false-device.mjs` describes. */
function falseDevice(faults: object): NodeJS.ProcessEnv {
  return {
    NODE_OPTIONS: `--import=${repository('test', 'support', 'false-device.mjs')}`,
    FALSE_DEVICE: JSON.stringify(faults),
  };
}

async function run(folder: string, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await scoreBatchProcess(folder, [...RUN, ...args], environment);
  expect(code, stderr).toBe(0);
  return { summary: JSON.parse(stdout), stderr };
}

/** Users without a score, or with one that is not the model's. */
async function wrongScores(folder: string): Promise<unknown> {
  const expected = '1 / (1 + exp(-(0.5 * a - 0.25 * coalesce(b, 0))))';
  const [row] = await rowsOf(
    folder,
    `select count(*) as n from users left join marketing.scores using (user_id)
     where propensity is null or abs(propensity - ${expected}) > 1.5e-6`,
  );
  return row?.n;
}

/** Details of the newest ledger entry in a state. */
async function ledger(folder: string, state: string): Promise<Record<string, unknown>> {
  const [row] = await rowsOf(
    folder,
    `select details from marketing.score_batch_ledger where state = '${state}' order by entry_number desc limit 1`,
  );
  return JSON.parse(String(row?.details));
}

describe.runIf(inject('webgpu'))('webgpu, on a software adapter', () => {
  it('publishes the scores of cpu, by one worker, and the ledger knows where they are from', async () => {
    const folder = await project('[cuda, webgpu]');
    const { summary, stderr } = await run(folder, ['--workers', '4']);
    expect(await wrongScores(folder)).toBe('0');
    const execution = {
      provider: 'webgpu',
      devices: ['webgpu'],
      gpu: false,
      nodes: 2,
      nodes_on_cpu: 0,
      skipped: [{ provider: 'cuda' }],
      canary: { rows: 9 },
    };
    expect(summary).toMatchObject({ providers: { webgpu: 1 }, execution });
    expect(await ledger(folder, 'published')).toMatchObject({ providers: { webgpu: 1 }, execution });
    expect(stderr).toContain('using 1 of 4 workers: webgpu can use only one per device');
  });

  it('says what served to people too, with the share of nodes on cpu', async () => {
    const folder = await project('[webgpu]', { model: 'partial' });
    const { code, stderr } = await scoreBatchProcess(folder, ['--week']);
    expect([code, await rowsOf(folder, 'select count(propensity) as n from marketing.scores')]).toEqual([0, [{ n: '100' }]]);
    expect(stderr).toMatch(
      /on webgpu \(1 chunk\)\n {2}provider {4}webgpu on a software adapter, ONNX Runtime \S+, 1 of 5 nodes on cpu\n/,
    );
    expect(stderr).toMatch(
      /\n {14}canary: 7 rows differ from cpu by \de-\d|\n {14}canary: 7 rows differ from cpu by \d\.\de-\d at most\n/,
    );
  });

  it('is refused by --require-gpu before a row moves', async () => {
    const folder = await project('[webgpu]');
    const { code, stderr } = await scoreBatchProcess(folder, ['--week', '--require-gpu']);
    expect([code, stderr.split('\n')[1]]).toEqual([
      78,
      '  webgpu: only a software adapter is available; it counts as cpu, and a GPU is required',
    ]);
  });

  describe.each(WAYS)('with freeze: $freeze', ({ freeze, chunks, chunks_resumed }) => {
    it.each([
      ['fails', 'CUDA failure 700: an illegal memory access was encountered ; GPU=0', 69, 'webgpu failed during a batch of'],
      ['fails by the model', 'Non-zero status code returned while running Gather node', 78, 'the model failed on a batch of'],
    ])('that %s in the middle ends the run, which the same command resumes', async (_, message, exitCode, said) => {
      const folder = await projectOf(freeze);
      const { code, stderr } = await scoreBatchProcess(folder, ['--week'], falseDevice({ fails: 4, message }));
      expect([code, stderr.match(/^error: .*$/m)?.[0]]).toEqual([exitCode, expect.stringContaining(said)]);
      expect(await ledger(folder, 'failed')).toMatchObject({
        error: expect.stringContaining(said),
        execution: { provider: 'webgpu' },
      });
      const { summary } = await run(folder);
      expect(summary).toMatchObject({ rows: { scored: 100 }, chunks, chunks_resumed, providers: { webgpu: chunks } });
      expect(await wrongScores(folder)).toBe('0');
    });

    it('that is gone once the run is planned ends it, and cpu does not take its place unseen', async () => {
      const folder = await projectOf(freeze);
      const { code, stderr } = await scoreBatchProcess(folder, ['--week'], falseDevice({ gone: true }));
      expect([code, stderr]).toEqual([
        69,
        expect.stringContaining('error: webgpu worked when the run was planned, but no longer works\n  the device is gone\n'),
      ]);
      expect((await run(folder)).summary).toMatchObject({ rows: { scored: 100 }, providers: { webgpu: chunks } });
    });

    it('that takes the process with it is resumed all the same', async () => {
      const folder = await projectOf(freeze);
      const { signal } = await scoreBatchProcess(folder, ['--week'], falseDevice({ fails: 4, abort: true }));
      expect(signal).toBe('SIGABRT');
      expect((await run(folder)).summary).toMatchObject({ rows: { scored: 100 }, chunks, chunks_resumed });
      expect(await wrongScores(folder)).toBe('0');
    });
  });
});

describe('two GPUs (cpu under their names)', () => {
  const TWO = '[{ name: cuda, devices: [0, 1] }, cpu]';

  it('take a chunk worker each, and their chunks are told apart', async () => {
    const folder = await project(TWO, { edit: (job) => job.replace('source:\n', 'source:\n  freeze: always\n') });
    const { summary } = await run(folder, ['--require-gpu'], falseDevice({ cuda: true }));
    expect(summary).toMatchObject({
      providers: { 'cuda:0': expect.any(Number), 'cuda:1': expect.any(Number) },
      execution: { provider: 'cuda', devices: ['cuda:0', 'cuda:1'], gpu: true, canary: { rows: 8192, largest_difference: 0 } },
    });
    expect(summary.providers['cuda:0'] + summary.providers['cuda:1']).toBe(10);
    expect(await wrongScores(folder)).toBe('0');
  });

  it('take a worker each where rows are scored on their way', async () => {
    const folder = await project(TWO, { edit: (job) => job.replace('chunk_rows: 10', 'batch_rows: 10') });
    const { summary } = await run(folder, ['--require-gpu'], falseDevice({ cuda: true }));
    expect(summary).toMatchObject({
      providers: { cuda: 1 },
      workers: { workers: 2 },
      execution: { devices: ['cuda:0', 'cuda:1'] },
    });
    expect(await wrongScores(folder)).toBe('0');
  });

  it('that run out of memory continue with smaller batches, noted once and recorded', async () => {
    const folder = await project(TWO, { edit: (job) => job.replace('chunk_rows: 10', 'chunk_rows: 50') });
    const { summary, stderr } = await run(
      folder,
      ['--workers', '1'],
      falseDevice({ cuda: true, fits: 7, message: OUT_OF_MEMORY }),
    );
    const halved = summary.batch_rows_halved_to as number;
    expect(halved).toBeGreaterThan(0);
    expect(halved).toBeLessThanOrEqual(7);
    expect(stderr.match(/ran out of memory: continuing with batches of \d+ rows/g)).toHaveLength(1);
    expect(await ledger(folder, 'published')).toMatchObject({ batch_rows_halved_to: halved });
    expect(await wrongScores(folder)).toBe('0');
  });

  it('that give other scores than cpu are refused before a row moves', async () => {
    const folder = await project(TWO);
    const { code, stderr } = await scoreBatchProcess(folder, ['--week'], falseDevice({ cuda: true, off: 0.001 }));
    expect(code).toBe(78);
    expect(stderr).toMatch(
      /^error: cuda:0 does not reproduce the scores of cpu for \S+\n {2}row \d of \S+ is [\d.]+ on cuda:0 and [\d.]+ on cpu, /,
    );
    expect(stderr).toContain('\nhint: the tolerance is 0.0001 (golden.provider_tolerance in model.yaml)');
  });
});

describe('batches', () => {
  it.each([
    ['one row a batch', 'batch_rows: 1', 'linear', 100],
    ['a last batch of one row', 'batch_rows: 33', 'linear', 100],
    ['batches larger than the window', 'batch_rows: 1000000', 'linear', 100],
    ['a window of one row', 'batch_rows: auto', 'linear', 1],
    ['a model that takes one row at a time', 'batch_rows: 1', 'fixed-one', 100],
    ['a model that takes eight, where the last batch has one', 'batch_rows: auto', 'fixed-eight', 97],
    ['a model that takes eight, and a window of one row', 'batch_rows: 8', 'fixed-eight', 1],
  ])('%s', async (_, setting, model, users) => {
    const folder = await linearProject({
      model,
      users: `select i as user_id, date '1997-03-12' as signup, (i % 20) / 10.0 as a, (i % 13) / 10.0 as b, 'US' as country
              from range(${users}) as users(i)`,
      edit: (job) => job.replace('chunk_rows: 10', `chunk_rows: 1000\n  ${setting}`),
    });
    const { summary } = await run(folder);
    expect(summary.rows.scored).toBe(users);
    expect(await wrongScores(folder)).toBe('0');
  });

  it('of another size than the model takes are refused', async () => {
    const folder = await linearProject({
      model: 'fixed-eight',
      edit: (job) => job.replace('chunk_rows: 10', 'chunk_rows: 10\n  batch_rows: 16'),
    });
    const { code, stderr } = await scoreBatchProcess(folder, ['--week']);
    expect([code, stderr.split('\n').filter((line) => /^(error|hint):/.test(line))]).toEqual([
      78,
      [
        `error: ${folder}/model/model.onnx takes exactly 8 rows at a time, but score.batch_rows is 16`,
        'hint: remove score.batch_rows, so that the last batch is padded; or export the model with a dynamic first dimension, which is faster',
      ],
    ]);
  });
});
