import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FLOAT, INT64 } from '../../src/onnx/element-types.ts';
import { nodeMessage, type Operation, tensorMessage } from '../../src/onnx/encode.ts';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { valueMessage } from '../../src/onnx/value-info.ts';
import { repository, temporaryFolder } from './project.ts';
import { constant } from './spoilt-model.ts';

/** The classes 0, 1 and 2 have the probabilities a, b and 1 - a - b: any of them can be none while another one is. */
const PROBABILITIES: readonly Operation[] = [
  { operator: 'ReduceSum', inputs: ['features', 'columns'], outputs: ['sum'], integers: { keepdims: 1 } },
  { operator: 'Sub', inputs: ['one', 'sum'], outputs: ['rest'] },
  { operator: 'Concat', inputs: ['features', 'rest'], outputs: ['probabilities'], integers: { axis: 1 } },
];

/** The label depends on the mean of the run: alone, every row has the first one. */
const LABEL: readonly Operation[] = [
  { operator: 'ReduceMean', inputs: ['probabilities', 'rows'], outputs: ['mean'], integers: { keepdims: 1 } },
  { operator: 'Sub', inputs: ['probabilities', 'mean'], outputs: ['shifted'] },
  { operator: 'ArgMax', inputs: ['shifted'], outputs: ['label'], integers: { axis: 1, keepdims: 1 } },
];

const CONSTANTS = [
  constant('columns', BigInt64Array.of(1n)),
  constant('rows', BigInt64Array.of(0n)),
  constant('one', Float32Array.of(1)),
];

const ROWS: readonly (readonly [a: number, b: number])[] = [
  [0, 0],
  [0.5, 0],
  [0, 0.5],
  [0.25, 0.5],
  [0.5, 0.125],
];

interface Options {
  /** Whether the bundle has a label output, which depends on other rows. */
  readonly dependentLabel?: boolean;
}

/** A bundle whose features are the probabilities of its classes. A null of the first one is NaN. @returns its folder */
export async function threeClasses({ dependentLabel = false }: Options = {}): Promise<string> {
  const folder = await temporaryFolder();
  await cp(repository('test', 'fixtures', 'models', 'linear'), folder, { recursive: true });
  const file = path.join(folder, 'model.onnx');
  const { graph, ...rest } = parseModel(await readFile(file));
  const [like] = graph.nodes;
  if (like === undefined) throw new Error('the fixture has no node');
  const operations = [...PROBABILITIES, ...(dependentLabel ? LABEL : [])];
  const outputs = [
    { name: 'probabilities', message: valueMessage('probabilities', FLOAT, 3) },
    ...(dependentLabel ? [{ name: 'label', message: valueMessage('label', INT64, 1) }] : []),
  ];
  const bytes = serializeModel({
    ...rest,
    graph: {
      ...graph,
      nodes: operations.map(({ operator, ...one }, i) => ({
        ...like,
        operator,
        message: nodeMessage({ operator, ...one }, `n${i}`),
      })),
      constants: CONSTANTS.map((tensor) => ({ name: tensor.name, message: tensorMessage(tensor) })),
      outputs,
    },
  });
  await writeFile(file, bytes);
  await writeFile(
    path.join(folder, 'model.yaml'),
    `name: three-classes
version: "1"
sha256: ${createHash('sha256').update(bytes).digest('hex')}
trained: { by: test/support/three-classes.ts }
inputs:
  - name: features
    dtype: float32
    shape: [N, 2]
    columns: [{ name: a, nullable: true, range: [-0.1, 0.6] }, { name: b, range: [-0.1, 0.6] }]
output: { ${dependentLabel ? 'label: label, ' : ''}probabilities: probabilities, labels: ["0", "1", "2"] }
golden: { tolerance: 1e-6 }
`,
  );
  const golden = ROWS.map(([a, b]) => `${[a, b, a, b, 1 - a - b].join()}\n`).join('');
  await writeFile(path.join(folder, 'golden.csv'), `a,b,expected_0,expected_1,expected_2\n${golden}`);
  return folder;
}
