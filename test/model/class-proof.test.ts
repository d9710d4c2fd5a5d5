import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { agreeWithCpu, agreeWithGolden } from '../../src/model/agreement.ts';
import { type Bundle, loadBundle } from '../../src/model/bundle.ts';
import { type Golden, readGolden } from '../../src/model/golden.ts';
import { goldenValues } from '../../src/model/scores.ts';
import { FLOAT } from '../../src/onnx/element-types.ts';
import { nodeMessage, type Operation, tensorMessage } from '../../src/onnx/encode.ts';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { valueMessage } from '../../src/onnx/value-info.ts';
import { openSession, type Session } from '../../src/runtime/session.ts';
import { presentError } from '../../src/terminal/error.ts';
import { repository, temporaryFolder } from '../support/project.ts';

interface Subject {
  readonly bundle: Bundle;
  readonly golden: Golden;
  readonly session: Session;
}

async function withSession<T>(bundle: Bundle, work: (subject: Subject) => Promise<T>): Promise<T> {
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  try {
    return await work({ bundle, golden: await readGolden(bundle), session });
  } finally {
    await session.close();
  }
}

/** A network whose last probability falls by a share of its mean over the batch; its golden rows are what it gives them. */
async function lastClassDependent(share: number): Promise<Bundle> {
  const folder = await temporaryFolder();
  await cp(repository('test/fixtures/classes/network-pruned'), folder, { recursive: true });
  const file = path.join(folder, 'model.onnx');
  const { graph, ...rest } = parseModel(await readFile(file));
  const operations: Operation[] = [
    { operator: 'ReduceMean', inputs: ['probabilities', 'rows'], outputs: ['mean'], integers: { keepdims: 1 } },
    { operator: 'Mul', inputs: ['mean', 'share'], outputs: ['part'] },
    { operator: 'Sub', inputs: ['probabilities', 'part'], outputs: ['shifted'] },
  ];
  const [like] = graph.nodes;
  if (like === undefined) throw new Error('the fixture has no node');
  const constants = [
    { name: 'rows', shape: [1], data: new BigInt64Array([0n]) },
    { name: 'share', shape: [1, 3], data: new Float32Array([0, 0, share]) },
  ];
  const bytes = serializeModel({
    ...rest,
    // The first in which ReduceMean takes the axes as an input.
    opsets: new Map([...rest.opsets, ['ai.onnx', 18]]),
    graph: {
      ...graph,
      nodes: [...graph.nodes, ...operations.map((one, i) => ({ ...like, message: nodeMessage(one, `added${i}`) }))],
      constants: [...graph.constants, ...constants.map((one) => ({ name: one.name, message: tensorMessage(one) }))],
      outputs: [{ name: 'shifted', message: valueMessage('shifted', FLOAT, 3) }],
    },
  });
  await writeFile(file, bytes);
  const yaml = path.join(folder, 'model.yaml');
  const text = (await readFile(yaml, 'utf8')).replace('probabilities: probabilities', 'probabilities: shifted');
  await writeFile(yaml, text.replace(/^sha256: .*$/m, `sha256: ${createHash('sha256').update(bytes).digest('hex')}`));
  const bundle = await loadBundle(folder);
  await withSession(bundle, async ({ golden, session }) => {
    const values = await goldenValues(session, golden.inputs, bundle.signature);
    const [header, ...rows] = (await readFile(golden.file, 'utf8')).trim().split('\n');
    const own = rows.map((row, i) => [...row.split(',').slice(0, 4), ...values.slice(3 * i, 3 * i + 3)].join());
    await writeFile(golden.file, [header, ...own, ''].join('\n'));
  });
  return bundle;
}

async function outcome(work: Promise<unknown>, { folder }: Bundle): Promise<string> {
  return await work.then(
    () => 'agrees',
    (error: unknown) => presentError(error).text.replaceAll(folder, 'BUNDLE'),
  );
}

it('a row is proved in every class, not only the first', async () => {
  const proved = async (bundle: Bundle) =>
    await withSession(bundle, async ({ golden, session }) => await outcome(agreeWithGolden(bundle, golden, session), bundle));
  expect(await proved(await lastClassDependent(0))).toBe('agrees');
  const text = await proved(await lastClassDependent(0.01));
  expect(text.replaceAll(/\d\.\d+(e-\d+)?/g, '<n>')).toMatchInlineSnapshot(`
    "error: BUNDLE/model.onnx does not score rows independently: the score of a row depends on other rows of its batch
      virginica of row 1 of BUNDLE/golden.csv scores <n> in file order and <n> alone, on cpu
    hint: the tolerance is <n>; export the model for inference, without computations across the rows of a batch: a mean or softmax over axis 0, batch statistics, dynamic quantization"
  `);
});

it('a device is compared with cpu in every class, whatever the size of the batch', async () => {
  const bundle = await loadBundle(repository('test/fixtures/classes/stack'));
  await withSession(bundle, async ({ golden, session }) => {
    const { scores } = await agreeWithGolden(bundle, golden, session);
    expect(scores).toHaveLength(3 * golden.rows);
    const canary = (expected: readonly number[], rows: number) => agreeWithCpu({ bundle, golden, session, expected, rows });
    expect((await canary(scores, 100)).rows).toBe(100);
    expect((await canary(scores, 1)).rows).toBe(golden.rows);
    // Place 7 is the second class of the third row, which comes again after all golden rows.
    const wrong = scores.with(7, (scores[7] ?? 0) + 0.001);
    for (const rows of [1, 100]) {
      const text = await outcome(canary(wrong, rows), bundle);
      expect(text).toContain(`versicolor of row 3 of ${golden.file.replace(bundle.folder, 'BUNDLE')} is`);
    }
  });
});
