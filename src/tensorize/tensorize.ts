import { attributesOf } from '../onnx/attributes.ts';
import { DOUBLE, FLOAT } from '../onnx/element-types.ts';
import { nodeMessage, tensorMessage } from '../onnx/encode.ts';
import type { OnnxModel, OnnxNode } from '../onnx/model.ts';
import { elementType } from '../onnx/value-info.ts';
import { type Ensemble, OPERATORS, readEnsemble } from './ensemble.ts';
import { createFragment, type Fragment } from './fragment.ts';
import { outcomeOf } from './outcome.ts';
import { pruneToOutput } from './prune.ts';
import { refusal } from './refusal.ts';
import { scalerOperations } from './scaler.ts';
import { ensembleOperations } from './sums.ts';

/** The operator set of the new operations, and its first IR version. */
const [OPSET, IR_VERSION] = [13, 7];

/** Operators whose meaning, attributes and inputs did not change from operator set `MIN_OPSET` to `OPSET`. */
const MIN_OPSET = 7;
const UNCHANGED = [
  'Abs',
  'Add',
  'Cast',
  'Concat',
  'Div',
  'Exp',
  'Gather',
  'Identity',
  'Log',
  'MatMul',
  'Mul',
  'Neg',
  'Reciprocal',
  'Relu',
  'Reshape',
  'Sigmoid',
  'Sqrt',
  'Sub',
  'Tanh',
  'Transpose',
];

/** Operators of ai.onnx.ml with float32 outputs. */
const ML_FLOAT = ['Scaler', 'Normalizer', 'Imputer', 'FeatureVectorizer', 'TreeEnsembleRegressor'];

export interface Tensorized {
  readonly model: OnnxModel;
  /** The rewritten ensembles, each with its node. `double` tells whether its input is float64. */
  readonly ensembles: readonly { readonly node: OnnxNode; readonly double: boolean; readonly ensemble: Ensemble }[];
}

/**
 * Rewrites the tree ensembles and scalers of a model as tensor operations. The rest of the graph stays, except what the output
 * does not need, such as labels, which have no GPU kernels.
 *
 * @param output the only output to keep
 * @throws ScoreBatchError `configuration` if there are no trees, or they cannot be rewritten; RangeError if the bytes of a node
 *   are malformed
 */
export function tensorize(original: OnnxModel, output: string): Tensorized {
  const model = pruneToOutput(original, output);
  const trees = model.graph.nodes.filter(isEnsemble);
  if (trees.length === 0) {
    throw refusal(
      'it has no tree ensemble',
      'there is nothing to rewrite; `score-batch model inspect` shows where its nodes run',
    );
  }
  const opset = model.opsets.get('ai.onnx') ?? 0;
  const old = model.graph.nodes.find(
    ({ domain, operator }) => opset < OPSET && domain === 'ai.onnx' && (opset < MIN_OPSET || !UNCHANGED.includes(operator)),
  );
  if (old !== undefined) {
    throw refusal(
      `it uses operator set ${opset}, in which ${old.operator} may behave differently`,
      `export it with target_opset ${OPSET} or later`,
    );
  }
  const used = new Set([output, ...model.graph.nodes.flatMap(({ inputs }) => inputs)]);
  const ensembles = trees.map((node) => {
    const label = isClassifier(node) ? node.outputs[0] : undefined;
    if (label !== undefined && used.has(label)) throw refusal(`the score needs ${label}, the label of a classifier`);
    const double = typeOf(model, node.inputs[0] ?? '') === DOUBLE;
    return { node, double, ensemble: readEnsemble(node, double) };
  });
  const names = new Set(model.graph.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  const replacements = new Map<OnnxNode, Replacement>();
  for (const [i, { node, double, ensemble }] of ensembles.entries()) {
    const fragment = createFragment(freePrefix(names, `trees${i}`));
    const source = { ensemble, outcome: outcomeOf(ensemble), input: node.inputs[0] ?? '', double };
    const result = ensembleOperations(fragment, source);
    replacements.set(node, replacement(fragment, result, node.outputs[isClassifier(node) ? 1 : 0] ?? ''));
  }
  const scalers = model.graph.nodes.filter(({ domain, operator }) => domain === 'ai.onnx.ml' && operator === 'Scaler');
  for (const [i, node] of scalers.entries()) {
    if (typeOf(model, node.inputs[0] ?? '') !== FLOAT) continue;
    const fragment = createFragment(freePrefix(names, `scaler${i}`));
    const result = scalerOperations(fragment, node);
    if (result !== undefined) replacements.set(node, replacement(fragment, result, node.outputs[0] ?? ''));
  }
  return {
    ensembles,
    model: {
      ...model,
      irVersion: Math.max(model.irVersion, IR_VERSION),
      opsets: new Map([...model.opsets, ['ai.onnx', Math.max(opset, OPSET)]]),
      graph: {
        ...model.graph,
        nodes: model.graph.nodes.flatMap((node) => replacements.get(node)?.nodes ?? [node]),
        constants: [...model.graph.constants, ...[...replacements.values()].flatMap(({ constants }) => constants)],
      },
    },
  };
}

function isEnsemble({ domain, operator }: OnnxNode): boolean {
  if (domain !== 'ai.onnx.ml') return false;
  if (operator === 'TreeEnsemble') {
    throw refusal('it uses the operator TreeEnsemble of ai.onnx.ml 5', 'export it with ai.onnx.ml 3 in target_opset');
  }
  return OPERATORS.includes(operator);
}

interface Replacement {
  readonly nodes: readonly OnnxNode[];
  readonly constants: OnnxModel['graph']['constants'];
}

/** The nodes and constants of a fragment. Its result takes the name of the replaced output. */
function replacement({ prefix, operations, constants }: Fragment, result: string, output: string): Replacement {
  const node = (operation: Fragment['operations'][number], i: number): OnnxNode => {
    const outputs = operation.outputs.map((name) => (name === result ? output : name));
    const name = `${prefix}${operation.operator}_${i}`;
    return {
      ...operation,
      outputs,
      name,
      domain: 'ai.onnx',
      nests: false,
      message: nodeMessage({ ...operation, outputs }, name),
    };
  };
  return {
    nodes: operations.map(node),
    constants: constants.map((tensor) => ({ name: tensor.name, message: tensorMessage(tensor) })),
  };
}

/** A prefix that no name starts with. */
function freePrefix(names: ReadonlySet<string>, wanted: string): string {
  for (let prefix = wanted; ; prefix += '_') {
    if (![...names].some((name) => name.startsWith(`${prefix}/`))) return `${prefix}/`;
  }
}

function isClassifier({ operator }: OnnxNode): boolean {
  return operator === 'TreeEnsembleClassifier';
}

/** The element type of a value, from the graph's input or the node that made it; undefined if unknown. */
function typeOf({ graph }: OnnxModel, value: string): number | undefined {
  const seen = new Set<OnnxNode>();
  for (let name = value; ; ) {
    const producer = graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (producer === undefined) {
      const input = graph.inputs.find((other) => other.name === name);
      return input && elementType(input.message);
    }
    if (producer.operator === 'Cast') return attributesOf(producer.message).integers('to')[0];
    if (producer.domain === 'ai.onnx.ml' && ML_FLOAT.includes(producer.operator)) return FLOAT;
    // These standard operators keep the type of their first input.
    if (!UNCHANGED.includes(producer.operator) || seen.has(producer)) return undefined;
    seen.add(producer);
    name = producer.inputs[0] ?? '';
  }
}
