import { spawnSync } from 'node:child_process';
import { describe, expect, inject, it } from 'vitest';
import { ScoreBatchError } from '../../src/errors.ts';
import { inBatches } from '../../src/runtime/batches.ts';
import { readModel } from '../../src/runtime/model-file.ts';
import { type InputTensor, openSession, type Session } from '../../src/runtime/session.ts';
import { repository } from '../support/project.ts';

const OUTPUT = { name: 'score', index: 0 };

async function open(model: string): Promise<Session> {
  const file = await readModel(repository('test', 'fixtures', 'models', model, 'model.onnx'));
  return await openSession(file, { providers: ['cpu'], requireGpu: false });
}

function features(rows: number): InputTensor[] {
  const values = Float32Array.from({ length: rows * 2 }, (_, i) => Math.sin(i));
  return [{ name: 'features', dtype: 'float32', values, shape: [rows, 2] }];
}

/**
 * A session in place of ONNX Runtime's: no device here has so little memory as a test needs. It takes `fits` rows and answers
 * twice the row's first element in the second of two columns. The messages are the runtime's own.
 */
function fakeSession(fits: () => number, message = CUDA_OOM, batch: number | string = 'N') {
  const runs: number[] = [];
  const session: Session = {
    provider: 'cuda:1',
    gpu: true,
    metadata: { inputs: [{ name: 'x', dtype: 'float32', shape: [batch, 1] }], outputs: [] },
    version: '0',
    run([input]) {
      const rows = input?.shape[0] ?? 0;
      runs.push(rows);
      if (rows > fits()) {
        const cause = new Error(message);
        return Promise.reject(new ScoreBatchError('configuration', 'the model fails', { details: ['…'], cause }));
      }
      const values = Float32Array.from({ length: rows * 2 }, (_, i) => (i % 2) * 2 * Number(input?.values[i >> 1]));
      return Promise.resolve({ values, width: 2 });
    },
    runOutputs: () => Promise.reject(new Error('nothing here asks for whole outputs')),
    close: () => Promise.resolve(),
  };
  return { session, runs };
}

const CUDA_OOM =
  "Non-zero status code returned while running Gemm node. Name:'fc1' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 2147483648";

function counted(rows: number): InputTensor[] {
  return [{ name: 'x', dtype: 'float32', values: Float32Array.from({ length: rows }, (_, i) => i), shape: [rows, 1] }];
}

const doubled = (rows: number) => Array.from({ length: rows }, (_, i) => 2 * i);
const seconds = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % 2 === 1);

describe.each(['fixed-one', 'fixed-eight'])('%s, a model with a fixed batch', (model) => {
  it.each([1, 7, 8, 9, 17])('scores %i rows as a model without one does', async (rows) => {
    const [fixed, free] = [await open(model), await open('linear')];
    const { values, width } = await inBatches(fixed).run(features(rows), OUTPUT);
    const expected = await free.run(features(rows), OUTPUT);
    expect(width).toBe(1);
    expect([...values]).toEqual([...expected.values]);
    await Promise.all([fixed.close(), free.close()]);
  });
});

it('text and whole numbers are filled up with the last row, not with what the model may not know', async () => {
  const seen: InputTensor[][] = [];
  const { session } = fakeSession(() => 100, CUDA_OOM, 4);
  const run: Session['run'] = (inputs, output) => {
    seen.push([...inputs]);
    return session.run(inputs, output);
  };
  const inputs: InputTensor[] = [
    { name: 'x', dtype: 'float32', values: Float32Array.of(1, 2, 3, 4, 5), shape: [5, 1] },
    { name: 'plan', dtype: 'string', values: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'], shape: [5, 2] },
    { name: 'id', dtype: 'int64', values: BigInt64Array.of(1n, 2n, 3n, 4n, 5n), shape: [5, 1] },
  ];
  await inBatches({ ...session, run }).run(inputs, OUTPUT);
  expect(seen.map((batch) => batch.map(({ values }) => [...values]))).toEqual([
    [
      [1, 2, 3, 4],
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
      [1n, 2n, 3n, 4n],
    ],
    [
      [5, 5, 5, 5],
      ['i', 'j', 'i', 'j', 'i', 'j', 'i', 'j'],
      [5n, 5n, 5n, 5n],
    ],
  ]);
});

it('no run has more rows than were asked for, and none is a small rest', async () => {
  const { session, runs } = fakeSession(() => 1000);
  const { values, width } = await inBatches(session, 100).run(counted(201), OUTPUT);
  expect([seconds(values), width, runs]).toEqual([doubled(201), 2, [67, 67, 67]]);
  runs.length = 0;
  await inBatches(session, 1).run(counted(2), OUTPUT);
  await inBatches(session, 100).run(counted(1), OUTPUT);
  await inBatches(session, 100).run(counted(100), OUTPUT);
  expect(runs).toEqual([1, 1, 1, 100]);
});

describe('a device that runs out of memory', () => {
  it('gets half of the rows, and no more from then on', async () => {
    const { session, runs } = fakeSession(() => 30);
    const batched = inBatches(session, 100);
    expect(batched.halvedTo).toBeUndefined();
    expect(seconds((await batched.run(counted(100), OUTPUT)).values)).toEqual(doubled(100));
    expect([runs, batched.halvedTo]).toEqual([[100, 50, 25, 25, 25, 25], 25]);
    runs.length = 0;
    expect(seconds((await batched.run(counted(26), OUTPUT)).values)).toEqual(doubled(26));
    expect(runs).toEqual([13, 13]);
  });

  it('in the middle of a batch loses none of it', async () => {
    let fits = 100;
    const { session, runs } = fakeSession(() => {
      if (runs.length === 2) fits = 20;
      return fits;
    });
    expect(seconds((await inBatches(session, 40).run(counted(120), OUTPUT)).values)).toEqual(doubled(120));
    expect(runs).toEqual([40, 40, 20, 20, 20, 20]);
  });

  it('for a single row ends the run and says that batch_rows is not it', async () => {
    const { session, runs } = fakeSession(() => 0);
    await expect(inBatches(session).run(counted(5), OUTPUT)).rejects.toMatchObject({
      kind: 'configuration',
      message: 'cuda:1 has too little memory for a single row of this model',
      hint: expect.stringContaining('score.batch_rows'),
    });
    expect(runs).toEqual([5, 2, 1]);
  });

  it('for a fixed batch has nothing to halve', async () => {
    const { session, runs } = fakeSession(() => 7, CUDA_OOM, 8);
    await expect(inBatches(session).run(counted(9), OUTPUT)).rejects.toMatchObject({
      message: 'cuda:1 has too little memory for the 8 rows that this model takes at a time',
    });
    expect(runs).toEqual([8]);
  });

  it.each([
    'CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; file=cuda_allocator.cc ; line=48 ; expr=cudaMalloc((void**)&p, size);',
    'Available memory of 1048576 is smaller than requested bytes of 4194304',
    'std::bad_alloc',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
    'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[2]',
    'Buffer size (4294967296) exceeds the max buffer size limit (1073741824).',
  ])('is known by: %s', async (message) => {
    const { session } = fakeSession(() => 1, message);
    const batched = inBatches(session);
    await batched.run(counted(2), OUTPUT);
    expect(batched.halvedTo).toBe(1);
  });

  it('is not what else fails: that is thrown as it is, at once', async () => {
    const { session, runs } = fakeSession(() => 1, 'CUDA failure 700: an illegal memory access was encountered');
    await expect(inBatches(session).run(counted(4), OUTPUT)).rejects.toThrow('the model fails');
    expect(runs).toEqual([4]);
  });

  const swiftShader = process.env.VK_DRIVER_FILES?.includes('swiftshader');

  it.runIf(inject('webgpu') && swiftShader)('is met for real where a buffer may not be larger', async () => {
    const file = await readModel(repository('test', 'fixtures', 'models', 'wide', 'model.onnx'));
    const session = inBatches(await openSession(file, { providers: ['webgpu'], requireGpu: false }));
    const linear = await open('linear');
    // A mebibyte a row: more than the gibibyte that a buffer of SwiftShader has.
    const { values } = await session.run(features(1100), OUTPUT);
    const expected = await linear.run(features(1100), OUTPUT);
    expect(session.halvedTo).toBe(550);
    expect(Math.max(...values.map((score, i) => Math.abs(score - Number(expected.values[i]))))).toBeLessThan(1e-6);
    await Promise.all([session.close(), linear.close()]);
  });

  // `prlimit` is Linux's.
  it.skipIf(process.platform !== 'linux')('is met for real where a process may not have more', async () => {
    const [sources, model] = [
      repository('.modules', 'src', 'runtime'),
      repository('test', 'fixtures', 'models', 'wide', 'model.onnx'),
    ];
    const script = `
      const { readModel } = await import('${sources}/model-file.js');
      const { openSession } = await import('${sources}/session.js');
      const { inBatches } = await import('${sources}/batches.js');
      const session = inBatches(await openSession(await readModel('${model}'), { providers: ['cpu'], requireGpu: false }));
      const values = Float32Array.from({ length: 4000 }, (_, i) => i / 4000);
      const inputs = [{ name: 'features', dtype: 'float32', values, shape: [2000, 2] }];
      const { values: scores } = await session.run(inputs, { name: 'score', index: 0 });
      const wrong = scores.findIndex((score, i) => Math.abs(score - 1 / (1 + Math.exp(0.25 * values[2 * i + 1] - 0.5 * values[2 * i]))) > 1e-6);
      console.log(JSON.stringify([scores.length, session.halvedTo, wrong]));
      process.exit();`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    const { stdout, stderr } = spawnSync('prlimit', ['--data=1000000000', ...node], { encoding: 'utf8' });
    const [rows, halvedTo, wrong] = JSON.parse(stdout || JSON.stringify([stderr])) as unknown[];
    expect([rows, wrong]).toEqual([2000, -1]);
    // How much else the process holds is Node's affair.
    expect([125, 250, 500, 1000]).toContain(halvedTo);
  });
});

it('pads odd batches if it is told to, and hands over outputs batch by batch', async () => {
  const { session, runs } = fakeSession(() => 100);
  const { values, width } = await inBatches(session, 4, { even: true }).run(counted(9), OUTPUT);
  expect(runs).toEqual([4, 4, 4]);
  expect(width).toBe(2);
  expect(seconds(values)).toEqual(doubled(9));

  const free = await open('linear');
  try {
    const [wanted] = await free.runOutputs(features(9), ['score']);
    const parts: unknown[] = [];
    await inBatches(free, 4, { even: true }).runParts(features(9), ['score'], ([output], from, rows, size) => {
      parts.push([from, rows, size, ...Array.from((output?.values ?? []) as Float32Array).slice(0, rows)]);
    });
    const scores = Array.from(wanted?.values as Float32Array);
    expect(parts).toEqual([
      [0, 3, 4, ...scores.slice(0, 3)],
      [3, 3, 4, ...scores.slice(3, 6)],
      [6, 3, 4, ...scores.slice(6, 9)],
    ]);
  } finally {
    await free.close();
  }
});
