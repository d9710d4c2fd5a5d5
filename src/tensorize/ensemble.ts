import { type Attributes, attributesOf } from '../onnx/attributes.ts';
import type { OnnxNode } from '../onnx/model.ts';
import { refusal } from './refusal.ts';
import { readNodes, sameLength, type TreeNodes } from './tree-nodes.ts';

/** A validated `TreeEnsembleClassifier` or `TreeEnsembleRegressor`. */
export interface Ensemble {
  readonly nodes: TreeNodes;
  readonly classifier: boolean;
  /** Number of targets or classes. */
  readonly outputs: number;
  /** What each leaf adds to each output. A leaf and output occur at most once. */
  readonly weights: readonly Weight[];
  /** Whether any weight in the file is negative, even an unused one of an inner node. */
  readonly negative: boolean;
  readonly baseValues: readonly number[];
  readonly transform: Transform;
  /** Whether the trees' leaves are averaged instead of summed. */
  readonly average: boolean;
}

export interface Weight {
  /** Position of the leaf. */
  readonly node: number;
  readonly output: number;
  readonly value: number;
}

type Transform = (typeof TRANSFORMS)[number];

const TRANSFORMS = ['NONE', 'LOGISTIC', 'SOFTMAX'] as const;

export const OPERATORS: readonly string[] = ['TreeEnsembleClassifier', 'TreeEnsembleRegressor'];

/** Limit on numbers in the generated tables: a protobuf message ends at 2 GiB. */
const MAX_NUMBERS = 2 ** 27;

/**
 * Reads and validates an ensemble. The file is untrusted.
 *
 * @param double whether the model's input is float64
 * @throws ScoreBatchError `configuration`; RangeError if the bytes are not a node
 */
export function readEnsemble(node: OnnxNode, double: boolean): Ensemble {
  const attributes = attributesOf(node.message);
  const classifier = node.operator === 'TreeEnsembleClassifier';
  const numbers = (name: string): Float32Array | Float64Array => {
    const tensor = attributes.numbers(`${name}_as_tensor`);
    const values = tensor.length > 0 ? tensor : attributes.numbers(name);
    // Thresholds must have the input's type. Runtimes refuse this too.
    if (!double && values instanceof Float64Array) throw refusal(`${name} is float64 and the input is not`);
    return double ? Float64Array.from(values) : values;
  };
  const outputs = outputsOf(attributes, classifier);
  const nodes = readNodes(attributes, numbers);
  const count = nodes.features.length;
  if (count === 0) throw refusal('the ensemble has no trees');
  if (count * (outputs + 6) > MAX_NUMBERS) {
    throw refusal(`${count} nodes with ${outputs} outputs are too many for one graph`, 'train fewer or smaller trees');
  }
  const weights = readWeights({ attributes, kind: classifier ? 'class' : 'target', numbers, nodes, outputs });
  return {
    nodes,
    classifier,
    outputs,
    ...weights,
    baseValues: [...numbers('base_values')],
    transform: transformOf(attributes.texts('post_transform')[0] ?? 'NONE'),
    average: !classifier && averages(attributes.texts('aggregate_function')[0] ?? 'SUM'),
  };
}

function outputsOf(attributes: Attributes, classifier: boolean): number {
  const outputs = classifier
    ? attributes.texts('classlabels_strings').length || attributes.integers('classlabels_int64s').length
    : (attributes.integers('n_targets')[0] ?? 0);
  if (outputs === 0) throw refusal('the ensemble has no target or class');
  return outputs;
}

interface WeightSource {
  readonly attributes: Attributes;
  readonly kind: 'class' | 'target';
  readonly numbers: (name: string) => Float32Array | Float64Array;
  readonly nodes: TreeNodes;
  readonly outputs: number;
}

function readWeights({ attributes, kind, numbers, nodes, outputs }: WeightSource): { weights: Weight[]; negative: boolean } {
  const { positions, branches, trees } = nodes;
  const ids = attributes.integers(`${kind}_ids`);
  const column = (name: string): readonly number[] => sameLength(name, attributes.integers(name), ids.length);
  const treeIds = column(`${kind}_treeids`);
  const nodeIds = column(`${kind}_nodeids`);
  const values = sameLength(`${kind}_weights`, numbers(`${kind}_weights`), ids.length);
  const byLeaf = new Map<number, Map<number, number>>();
  for (const [i, output] of ids.entries()) {
    const node = positions.get(treeIds[i] ?? 0)?.get(nodeIds[i] ?? 0);
    if (node === undefined) throw refusal(`a weight is for node ${nodeIds[i]} of tree ${treeIds[i]}, which does not exist`);
    if (output >= outputs) throw refusal(`a weight is for output ${output} of ${outputs}`);
    const value = values[i] ?? 0;
    if (!Number.isFinite(value)) throw refusal(`a weight is ${value}`);
    // Old exporters also give weights to inner nodes, where no row ends. Runtimes ignore them.
    if (branches.less[node] !== node) continue;
    const weights = byLeaf.get(node) ?? new Map<number, number>();
    if (weights.has(output)) throw refusal('a leaf has two weights for one output');
    byLeaf.set(node, weights.set(output, value));
  }
  for (const leaf of trees.flatMap(({ leaves }) => leaves)) if (!byLeaf.has(leaf)) throw refusal('a leaf has no weight');
  const weights = [...byLeaf].flatMap(([node, of]) => [...of].map(([output, value]) => ({ node, output, value })));
  return { weights, negative: values.some((value) => value < 0) };
}

function transformOf(name: string): Transform {
  const found = TRANSFORMS.find((known) => known === name);
  if (found === undefined)
    throw refusal(`its post_transform is ${JSON.stringify(name.slice(0, 40))}, not ${TRANSFORMS.join(', ')}`);
  return found;
}

function averages(name: string): boolean {
  if (name === 'SUM' || name === 'AVERAGE') return name === 'AVERAGE';
  throw refusal(`its aggregate_function is ${JSON.stringify(name.slice(0, 40))}, not SUM or AVERAGE`);
}
