import { attributesOf } from '../onnx/attributes.ts';
import { nodeMessage, tensorMessage } from '../onnx/encode.ts';
import type { OnnxModel, OnnxNode } from '../onnx/model.ts';
import { DOUBLE, elementType, FLOAT } from '../onnx/types.ts';
import { type Ensemble, OPERATORS, readEnsemble } from './ensemble.ts';
import { createFragment, type Fragment } from './fragment.ts';
import { outcomeOf } from './outcome.ts';
import { prunedTo } from './prune.ts';
import { refusal } from './refusal.ts';
import { scalerOperations } from './scaler.ts';
import { ensembleOperations } from './sums.ts';

/** The operator set that the operations are of, and the first IR version that goes with it. */
const [OPSET, IR_VERSION] = [13, 7];

/** Operators that mean the same, with the same attributes and inputs, from the operator set `OLDEST` to `OPSET`. */
const OLDEST = 7;
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

/** Operators of ai.onnx.ml whose outputs are of float32. */
const ML_FLOAT = ['Scaler', 'Normalizer', 'Imputer', 'FeatureVectorizer', 'TreeEnsembleRegressor'];

export interface Tensorized {
  readonly model: OnnxModel;
  /** The ensembles that were rewritten, each with its node and the type of its input. */
  readonly ensembles: readonly { readonly node: OnnxNode; readonly double: boolean; readonly ensemble: Ensemble }[];
}

/**
 * Writes the tree ensembles of a model as tensor operations, and scalers. The rest of the graph stays as it is, without what the
 * output does not need: labels, of which no GPU knows.
 *
 * @param output the one output that is kept
 * @throws ScoreBatchError `configuration` where there are no trees, or they cannot be written so; RangeError where bytes are not
 *   what they should be
 */
export function tensorize(original: OnnxModel, output: string): Tensorized {
  const model = prunedTo(original, output);
  const trees = model.graph.nodes.filter(isEnsemble);
  if (trees.length === 0) {
    throw refusal('it has no tree ensemble', 'there is nothing to do: `score-batch model inspect` says where its nodes run');
  }
  const opset = model.opsets.get('ai.onnx') ?? 0;
  const old = model.graph.nodes.find(
    ({ domain, operator }) => opset < OPSET && domain === 'ai.onnx' && (opset < OLDEST || !UNCHANGED.includes(operator)),
  );
  if (old !== undefined) {
    throw refusal(
      `it is of operator set ${opset}, in which ${old.operator} may not mean the same`,
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
    const result = ensembleOperations(fragment, node.inputs[0] ?? '', double, ensemble, outcomeOf(ensemble));
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
    throw refusal('it has the operator TreeEnsemble of ai.onnx.ml 5', 'export it with ai.onnx.ml 3 in target_opset');
  }
  return OPERATORS.includes(operator);
}

interface Replacement {
  readonly nodes: readonly OnnxNode[];
  readonly constants: OnnxModel['graph']['constants'];
}

/** A fragment as nodes and constants of a graph; its result gets the name of what it replaces. */
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

/** A beginning of names that no name has. */
function freePrefix(names: ReadonlySet<string>, wanted: string): string {
  for (let prefix = wanted; ; prefix += '_') {
    if (![...names].some((name) => name.startsWith(`${prefix}/`))) return `${prefix}/`;
  }
}

function isClassifier({ operator }: OnnxNode): boolean {
  return operator === 'TreeEnsembleClassifier';
}

/** The element type of a value: as the graph's input has it, or what made it; undefined where that is not known. */
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
    // Of the standard set, these keep the type of their first input.
    if (!UNCHANGED.includes(producer.operator) || seen.has(producer)) return undefined;
    seen.add(producer);
    name = producer.inputs[0] ?? '';
  }
}
