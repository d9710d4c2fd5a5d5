import { attributesOf } from '../onnx/attributes.ts';
import type { OnnxModel, OnnxNode } from '../onnx/model.ts';
import { DOUBLE, elementType } from '../onnx/types.ts';
import { nodeMessage, tensorMessage } from '../onnx/written.ts';
import { type Ensemble, OPERATORS, readEnsemble } from './ensemble.ts';
import { createFragment } from './fragment.ts';
import { outcomeOf } from './outcome.ts';
import { prunedTo } from './pruned.ts';
import { refusal } from './refusal.ts';
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

export interface Tensorized {
  readonly model: OnnxModel;
  /** The ensembles that were rewritten, each with its node and the type of its input. */
  readonly ensembles: readonly { readonly node: OnnxNode; readonly double: boolean; readonly ensemble: Ensemble }[];
}

/**
 * Writes the tree ensembles of a model as tensor operations. The rest of the graph stays as it is, without what the output does
 * not need: labels, of which no GPU knows.
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
    const label = node.operator === 'TreeEnsembleClassifier' ? node.outputs[0] : undefined;
    if (label !== undefined && used.has(label)) throw refusal(`the score needs ${label}, the label of a classifier`);
    const double = isDouble(model, node.inputs[0] ?? '');
    return { node, double, ensemble: readEnsemble(node, double) };
  });
  const names = new Set(model.graph.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  const replacements = new Map(
    ensembles.map(({ node, double, ensemble }, i) => [node, written(node, double, ensemble, freePrefix(names, i))]),
  );
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

/** One ensemble's operations, which end in the name that the ensemble's output has. */
function written(node: OnnxNode, double: boolean, ensemble: Ensemble, prefix: string) {
  const output = node.outputs[node.operator === 'TreeEnsembleClassifier' ? 1 : 0] ?? '';
  const fragment = createFragment(prefix);
  const result = ensembleOperations(fragment, node.inputs[0] ?? '', double, ensemble, outcomeOf(ensemble));
  const message = (operation: (typeof fragment.operations)[number], i: number): OnnxNode => {
    const outputs = operation.outputs.map((name) => (name === result ? output : name));
    return {
      ...operation,
      outputs,
      name: `${prefix}${operation.operator}_${i}`,
      domain: 'ai.onnx',
      nests: false,
      message: nodeMessage({ ...operation, outputs }, `${prefix}${operation.operator}_${i}`),
    };
  };
  return {
    nodes: fragment.operations.map(message),
    constants: fragment.constants.map((tensor) => ({ name: tensor.name, message: tensorMessage(tensor) })),
  };
}

function freePrefix(names: ReadonlySet<string>, index: number): string {
  for (let attempt = 0; ; attempt += 1) {
    const prefix = `trees${index}${'_'.repeat(attempt)}/`;
    if (![...names].some((name) => name.startsWith(prefix))) return prefix;
  }
}

/** Whether a value is of float64: as the graph's input, or made so by a Cast. */
function isDouble({ graph }: OnnxModel, value: string): boolean {
  const seen = new Set<OnnxNode>();
  for (let name = value; ; ) {
    const producer = graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (producer === undefined) {
      const input = graph.inputs.find((other) => other.name === name);
      return input !== undefined && elementType(input.message) === DOUBLE;
    }
    if (producer.operator === 'Cast') return attributesOf(producer.message).integers('to')[0] === DOUBLE;
    // Operators of the standard set keep the type of their first input; those of ai.onnx.ml give float32.
    if (producer.domain !== 'ai.onnx' || seen.has(producer)) return false;
    seen.add(producer);
    name = producer.inputs[0] ?? '';
  }
}
