import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { attributesOf, tensorNumbers } from '../onnx/attributes.ts';
import { type Flow, movedColumns, splitColumns } from '../onnx/column-flow.ts';
import { DOUBLE, FLOAT } from '../onnx/element-types.ts';
import { type OnnxModel, type OnnxNode, parseModel } from '../onnx/model.ts';
import { constantsOf } from '../onnx/tensor-values.ts';
import { spanOf } from '../onnx/wire.ts';
import { type Ensemble, OPERATORS, readEnsemble } from '../tensorize/ensemble.ts';
import { outcomeOf } from '../tensorize/outcome.ts';
import { pruneToOutput } from '../tensorize/prune.ts';
import { whyRefused } from '../tensorize/refusal.ts';
import type { TreeNodes } from '../tensorize/tree-nodes.ts';

/** Unit of a feature's value: log-odds before a logistic function or softmax, a probability, or the score itself. */
export type RawOutput = 'margin' | 'probability' | 'score';

/** The raw output of a model that is one tree ensemble: a sum over trees of one number per leaf. */
export interface TreeModel {
  readonly nodes: TreeNodes;
  /** What each node adds to the raw output if a row ends there, by position; 0 for inner nodes. */
  readonly values: Float64Array;
  /** The constant of the sum. */
  readonly base: number;
  /** Per feature of the ensemble, the position of its column among the features of the signature. */
  readonly columns: readonly number[];
  /** Whether values are rounded to float32 before they are compared. */
  readonly rounds: boolean;
  readonly output: RawOutput;
}

/** Why a model is not a tree ensemble: a clause for people. */
export interface NoTreeModel {
  readonly why: string;
}

/**
 * Reads the tree ensemble of a model whose score is the ensemble's own output, and whose features are columns of the model's
 * inputs: moved, joined or cast, but not computed.
 *
 * @param bytes the model file, untrusted
 * @throws RangeError if the bytes are not a model
 */
export function readTreeModel(bytes: Uint8Array, signature: Signature): TreeModel | NoTreeModel {
  try {
    const model = pruneToOutput(parseModel(bytes), signature.output.name);
    const found = findEnsemble(model, signature);
    if ('why' in found) return found;
    const { node, source } = found;
    const columns = columnsOf(source.flow, signature);
    const ensemble = readEnsemble(node, source.type === DOUBLE);
    const beyond = ensemble.nodes.features.find((feature) => feature >= columns.length);
    if (beyond !== undefined) return { why: `it compares feature ${beyond} of ${columns.length}` };
    const sum = sumOf(ensemble, signature.output.index);
    return 'why' in sum ? sum : { nodes: ensemble.nodes, columns, rounds: source.rounds, ...sum };
  } catch (error) {
    const why = error instanceof ScoreBatchError ? whyRefused(error) : undefined;
    if (why === undefined) throw error;
    return { why };
  }
}

/** A value in the graph that only consists of input columns. */
interface Source {
  readonly flow: Flow;
  /** Element type. */
  readonly type: number | undefined;
  /** Whether it was rounded to float32. */
  readonly rounds: boolean;
}

/** Operators that change the shape or order of columns, but no numbers. For `Cast`, the type is checked. */
const MOVES = ['Identity', 'Cast', 'Squeeze', 'Unsqueeze', 'Flatten', 'Reshape', 'Concat', 'Gather', 'ArrayFeatureExtractor'];

const TYPES: Readonly<Record<string, number | undefined>> = { float32: FLOAT, float64: DOUBLE };

/** Finds the only ensemble, and checks what is computed before and after it. */
function findEnsemble(model: OnnxModel, signature: Signature): { node: OnnxNode; source: Source } | NoTreeModel {
  const constants = constantsOf(model);
  const sources = new Map<string, Source>(
    signature.inputs.map(({ name, dtype, features }) => [
      name,
      {
        flow: features.map((_, position) => ({ input: name, position })),
        type: TYPES[dtype],
        rounds: dtype === 'float32',
      },
    ]),
  );
  const raw = new Set<string>();
  let found: { node: OnnxNode; source: Source } | undefined;
  for (const node of model.graph.nodes) {
    const [first = ''] = node.inputs;
    if (node.domain === 'ai.onnx.ml' && OPERATORS.includes(node.operator)) {
      const source = sources.get(first);
      if (found !== undefined) return { why: 'it has more than one tree ensemble' };
      if (source === undefined) return { why: `its trees compare what ${producerOf(model, first)} computes` };
      if (source.type !== FLOAT && source.type !== DOUBLE) return { why: 'its trees compare values that are not floats' };
      found = { node, source };
      raw.add(node.outputs[node.operator === 'TreeEnsembleClassifier' ? 1 : 0] ?? '');
    } else if (node.inputs.some((name) => raw.has(name))) {
      if (!keepsValues(node, model)) return { why: `${node.operator} computes the score from the trees` };
      raw.add(node.outputs[0] ?? '');
    } else for (const [name, source] of movedSources(node, sources, constants)) sources.set(name, source);
  }
  if (found === undefined) return { why: 'it has no tree ensemble' };
  return raw.has(signature.output.name) ? found : { why: 'the score is not the output of its trees' };
}

function producerOf({ graph }: OnnxModel, name: string): string {
  return graph.nodes.find(({ outputs }) => outputs.includes(name))?.operator ?? 'another node';
}

/** Whether a node after the ensemble keeps its output unchanged: a rename, a cast, or onnxmltools' product with 1. */
function keepsValues(node: OnnxNode, { graph }: OnnxModel): boolean {
  if (node.operator === 'Identity') return true;
  if (node.operator === 'Cast') return isFloat(castType(node));
  const factor = graph.constants.find(({ name }) => node.inputs.includes(name));
  if (node.operator !== 'Mul' || factor === undefined) return false;
  const numbers = tensorNumbers(factor.message, spanOf(factor.message));
  return numbers.length === 1 && numbers[0] === 1;
}

function movedSources(
  node: OnnxNode,
  sources: ReadonlyMap<string, Source>,
  constants: ReturnType<typeof constantsOf>,
): [string, Source][] {
  const given = node.inputs.flatMap((name) => sources.get(name) ?? []);
  const [first] = given;
  if (first === undefined || given.some(({ type, rounds }) => type !== first.type || rounds !== first.rounds)) return [];
  const parts = splitColumns(node, first.flow, constants);
  if (parts !== undefined) return parts.map((flow, i) => [node.outputs[i] ?? '', { ...first, flow }]);
  if (!MOVES.includes(node.operator)) return [];
  const flows = new Map([...sources].map(([name, { flow }]) => [name, flow]));
  const flow = movedColumns(node, flows, constants);
  const type = node.operator === 'Cast' ? castType(node) : first.type;
  // Only casts to floats preserve the order of numbers.
  if (flow === undefined || (node.operator === 'Cast' && !isFloat(type))) return [];
  return [[node.outputs[0] ?? '', { flow, type, rounds: first.rounds || type === FLOAT }]];
}

function castType(node: OnnxNode): number | undefined {
  return attributesOf(node.message).integers('to')[0];
}

function isFloat(type: number | undefined): boolean {
  return type === FLOAT || type === DOUBLE;
}

function columnsOf(flow: Flow, signature: Signature): number[] {
  const starts = new Map<string, number>();
  let start = 0;
  for (const { name, features } of signature.inputs) {
    starts.set(name, start);
    start += features.length;
  }
  return flow.map(({ input, position }) => (starts.get(input) ?? 0) + position);
}

/** The sum over trees behind element `index` of the output. If two classes share one sum, class 0 has its negative. */
function sumOf(ensemble: Ensemble, index: number): Pick<TreeModel, 'values' | 'base' | 'output'> | NoTreeModel {
  const { outputs, base, form, transform } = outcomeOf(ensemble);
  const place = form === 'each' ? outputs.indexOf(index) : 0;
  if (place < 0 || (form !== 'each' && index > 1)) return { why: `its trees have no output ${index}` };
  const sign = form !== 'each' && index === 0 ? -1 : 1;
  const scale = sign / (ensemble.average ? ensemble.nodes.trees.length : 1);
  const values = new Float64Array(ensemble.nodes.features.length);
  for (const { node, output, value } of ensemble.weights) if (output === outputs[place]) values[node] = value * scale;
  const margin = form === 'logistic pair' || (form === 'each' && transform !== 'NONE');
  const probability = ensemble.classifier && form !== 'opposite';
  return {
    values,
    base: sign * (base[place] ?? 0),
    output: margin ? 'margin' : probability ? 'probability' : 'score',
  };
}
