import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Bundle, loadBundle } from '../../src/model/bundle.ts';
import { readGolden } from '../../src/model/golden.ts';
import { scoresOf } from '../../src/model/scores.ts';
import { nodeMessage, type Operation, type Tensor, tensorMessage } from '../../src/onnx/encode.ts';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { inBatches } from '../../src/runtime/batches.ts';
import { openSession } from '../../src/runtime/session.ts';
import { repository, temporaryFolder } from './project.ts';

const CPU = { providers: ['cpu'], requireGpu: false };
const ROWS = ['0,0', '1,0', '0,1', '2,-2', '-3,4', '5.5,1.25', '4,', '-100,12', '100,-12'];
export const constant = (name: string, data: Tensor['data'], shape = [data.length]): Tensor => ({ name, shape, data });

export interface Spoiling {
  readonly operations: readonly Operation[];
  readonly constants?: readonly Tensor[];
  readonly model?: string;
  readonly rows?: readonly string[];
  readonly tolerance?: string;
}

/**
 * A fixture's bundle whose graph has operations between `logit` and `spoilt`, of which the score is the logistic function. The golden
 * scores are those that the model gives to its golden rows in the order of the file, so that they agree.
 */
export async function spoilt({
  operations,
  constants = [],
  model = 'linear',
  rows = ROWS,
  tolerance = '1e-6',
}: Spoiling): Promise<Bundle> {
  const folder = await temporaryFolder();
  await cp(repository('test', 'fixtures', 'models', model), folder, { recursive: true });
  const file = path.join(folder, 'model.onnx');
  const { graph, ...rest } = parseModel(await readFile(file));
  const [product, sigmoid] = graph.nodes;
  if (product === undefined || sigmoid === undefined) throw new Error(`${model} is not as this test thinks`);
  const inserted = [...operations, { operator: 'Sigmoid', inputs: ['spoilt'], outputs: ['score'] }].map((operation, i) => ({
    ...sigmoid,
    message: nodeMessage(operation, `n${i}`),
  }));
  const bytes = serializeModel({
    ...rest,
    graph: {
      ...graph,
      nodes: [product, ...inserted],
      constants: [...graph.constants, ...constants.map((tensor) => ({ name: tensor.name, message: tensorMessage(tensor) }))],
    },
  });
  await writeFile(file, bytes);
  const yaml = path.join(folder, 'model.yaml');
  const digest = createHash('sha256').update(bytes).digest('hex');
  const text = (await readFile(yaml, 'utf8')).replace(/^sha256: .*$/m, `sha256: ${digest}`);
  await writeFile(yaml, text.replace('tolerance: 1e-6', `tolerance: ${tolerance}`));
  const golden = (scores: readonly number[]) =>
    writeFile(
      path.join(folder, 'golden.csv'),
      `a,b,expected_score\n${rows.map((row, i) => `${row},${scores[i] ?? 0}\n`).join('')}`,
    );
  await golden([]);
  const bundle = await loadBundle(folder);
  const session = await openSession(bundle, CPU);
  await golden(await scoresOf(inBatches(session), (await readGolden(bundle)).inputs, bundle.signature.output));
  await session.close();
  return bundle;
}

/** The logit minus a share of its mean over the rows of the batch. */
export const minusMean = (share: number) => ({
  operations: [
    { operator: 'ReduceMean', inputs: ['logit', 'rows'], outputs: ['mean'], integers: { keepdims: 1 } },
    { operator: 'Mul', inputs: ['mean', 'share'], outputs: ['part'] },
    { operator: 'Sub', inputs: ['logit', 'part'], outputs: ['spoilt'] },
  ],
  constants: [constant('rows', BigInt64Array.of(0n)), constant('share', Float32Array.of(share))],
});
