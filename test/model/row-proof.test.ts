import { describe, expect, it } from 'vitest';
import { agreeWithCpu } from '../../src/model/agreement.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import { readGolden } from '../../src/model/golden.ts';
import { verifyBundle } from '../../src/model/verify.ts';
import { openSession, type Session } from '../../src/runtime/session.ts';
import { presentError } from '../../src/terminal/error.ts';
import { repository } from '../support/project.ts';
import { constant, minusMean, type Spoiling, spoilt } from '../support/spoilt-model.ts';

const CPU = { providers: ['cpu'], requireGpu: false };

/** What people see. */
async function outcome(spoiling: Spoiling): Promise<string> {
  const bundle = await spoilt(spoiling);
  return await verifyBundle(bundle, CPU).then(
    ({ rows }) => `${rows} golden rows agree`,
    (error: unknown) => {
      const { text, exitCode } = presentError(error);
      return `${text.replaceAll(bundle.folder, 'BUNDLE')}\nexit code ${exitCode}`;
    },
  );
}

describe('a model whose score depends on other rows of its batch is refused', () => {
  it('with the row, both scores and what to look for', async () => {
    expect((await outcome(minusMean(1))).replaceAll(/0\.\d{4,}/g, '0.…')).toMatchInlineSnapshot(`
      "error: BUNDLE/model.onnx does not score rows independently: the score of a row depends on other rows of its batch
        row 1 of BUNDLE/golden.csv scores 0.… in file order and 0.5 alone, on cpu
      hint: the tolerance is 0.…; export the model for inference, without computations across the rows of a batch: a mean or softmax over axis 0, batch statistics, dynamic quantization
      exit code 78"
    `);
  });

  it.each([
    ['of a single golden row', { rows: ['1,0'] }],
    ['of a bundle with a lax tolerance', { tolerance: '0.5' }],
    ['of a fixed batch that is filled up', { model: 'fixed-eight' }],
    ['of a fixed batch and a single golden row', { model: 'fixed-eight', rows: ['1,0'] }],
  ])('by its mean, %s', async (_, more) => {
    expect(await outcome({ ...minusMean(1), ...more })).toMatch(/does not score rows independently[\s\S]*exit code 78$/);
  });

  it.each([1e-2, 1e-4])('by %d of its mean', async (share) => {
    expect(await outcome({ ...minusMean(share), rows: ['1,0', '1,0'] })).toMatch(/scores 0\.62\d+ .* among other rows/);
  });

  const maximum = [
    { operator: 'ReduceMax', inputs: ['logit', 'rows'], outputs: ['most'], integers: { keepdims: 1 } },
    { operator: 'Sub', inputs: ['logit', 'most'], outputs: ['spoilt'] },
  ];
  const running = [
    { operator: 'CumSum', inputs: ['logit', 'first'], outputs: ['sum'] },
    { operator: 'Mul', inputs: ['sum', 'little'], outputs: ['spoilt'] },
  ];
  const softmax = [{ operator: 'Softmax', inputs: ['logit'], outputs: ['spoilt'], integers: { axis: 0 } }];
  it.each([
    ['its maximum', maximum, [constant('rows', BigInt64Array.of(0n))]],
    ['the rows before it', running, [constant('first', BigInt64Array.of(0n), []), constant('little', Float32Array.of(0.01))]],
    ['a softmax over the batch', softmax, []],
  ])('by %s', async (_, operations, constants) => {
    expect(await outcome({ operations, constants })).toMatch(/does not score rows independently[\s\S]*exit code 78$/);
  });
});

describe('accepts a model that scores rows independently', () => {
  it('whatever is computed within a row, and however the batch is fixed', async () => {
    const operations = [
      { operator: 'ReduceMean', inputs: ['logit', 'columns'], outputs: ['spoilt'], integers: { keepdims: 1 } },
    ];
    const constants = [constant('columns', BigInt64Array.of(1n))];
    for (const model of ['linear', 'fixed-one', 'fixed-eight']) {
      const { proof } = await verifyBundle(await spoilt({ operations, constants, model }), CPU);
      expect(proof).toEqual({ alone: 9, among: 9, largest: expect.any(Number), tolerance: 1e-6 });
      expect(proof.largest).toBeLessThan(3e-7);
    }
  });

  it('where it fails on rows of which model.yaml does not know that they cannot be', async () => {
    // A table of eight numbers, in which the first column of the golden rows looks one up.
    const operations = [
      { operator: 'Gather', inputs: ['features', 'zero'], outputs: ['a'], integers: { axis: 1 } },
      { operator: 'Cast', inputs: ['a'], outputs: ['which'], integers: { to: 7 } },
      { operator: 'Gather', inputs: ['table', 'which'], outputs: ['spoilt'] },
    ];
    const constants = [
      constant('zero', BigInt64Array.of(0n)),
      constant(
        'table',
        Float32Array.from({ length: 8 }, (_, i) => i / 8),
      ),
    ];
    expect(await outcome({ operations, constants, rows: ['0,1', '7,2', '3,'] })).toBe('3 golden rows agree');
  });
});

describe('on a session of another provider', () => {
  /** Scores of `linear`, plus what is added. */
  async function canary(added: (row: number, rows: number, call: number) => number): Promise<unknown> {
    const bundle = await loadBundle(repository('test', 'fixtures', 'models', 'linear'));
    const golden = await readGolden(bundle);
    const cpu = await openSession(bundle, CPU);
    let calls = 0;
    const session: Session = {
      ...cpu,
      provider: 'cuda',
      async run(inputs, output) {
        const { values, width } = await cpu.run(inputs, output);
        calls += 1;
        return { values: values.map((value, row) => value + added(row, values.length, calls)), width };
      },
    };
    return await agreeWithCpu({ bundle, golden, session, expected: golden.expected, rows: 20 })
      .catch((error: unknown) => error)
      .finally(() => cpu.close());
  }

  it('a kernel that is wrong for batches of another size is found', async () => {
    expect(await canary((_, rows) => (rows === 1 ? 2e-4 : 0))).toMatchObject({
      kind: 'configuration',
      details: [expect.stringMatching(/^row 1 of \S+ scores 0\.5 in file order and 0\.5\d+ alone, on cuda$/)],
    });
  });

  it('scores that change from run to run are found', async () => {
    expect(await canary((row, _, call) => (row === 0 && call > 1 ? 2e-4 : 0))).toMatchObject({
      message: expect.stringContaining('does not give the same rows the same scores twice'),
    });
  });

  it('what is within golden.provider_tolerance is not', async () => {
    expect(await canary((_, rows) => (rows === 1 ? 5e-5 : 0))).toMatchObject({
      proof: { alone: 9, among: 9, tolerance: 1e-4 },
    });
  });
});
