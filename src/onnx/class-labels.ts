import { attributesOf } from './attributes.ts';
import type { OnnxModel, OnnxNode } from './model.ts';
import { constantsOf, type TensorValues } from './tensor-values.ts';

/** The outputs of a model that predicts a class. */
interface Outputs {
  readonly label: string | undefined;
  readonly probabilities: string;
  /** Number of classes. */
  readonly classes: number;
}

/** Operators of ai.onnx and ai.onnx.ml that keep a label unchanged, or the order of a row's columns. */
const KEEP_LABELS = ['Identity', 'Cast', 'Reshape', 'Squeeze', 'Flatten'];
const KEEP_COLUMNS = ['Identity', 'Cast', 'Normalizer', 'Softmax', 'Sigmoid', 'LpNormalization'];

/** A limit, because a small file can declare many outputs. */
const MAX_OUTPUTS = 100;

/**
 * Attributes with the class names: SVMClassifier and LinearClassifier have `classlabels_ints`, the others `classlabels_int64s`.
 */
const INTEGERS = ['classlabels_int64s', 'classlabels_ints'];

/**
 * The class names in a graph, as lists of which one must be right: that of the label output if it can be found, otherwise that
 * of the classifier that computes the probabilities, otherwise those of all classifiers before it.
 *
 * The label output takes precedence because ensembles number their members' classes: a classifier inside a stack has 0, 1, 2,
 * and only the label output has the names.
 *
 * @returns no lists if the graph has none
 * @throws RangeError if the bytes of a node are malformed
 */
export function classLabels(model: OnnxModel, { label, probabilities, classes }: Outputs): readonly (readonly string[])[] {
  const graph = createGraph(model);
  const others = model.graph.outputs.map(({ name }) => name).filter((name) => name !== probabilities);
  for (const output of label === undefined ? others.slice(0, MAX_OUTPUTS) : [label]) {
    const found = labelsBehind(graph, output);
    if (found !== undefined && (label !== undefined || found.length === classes)) return [found];
  }
  const source = kept(graph, probabilities, KEEP_COLUMNS);
  const direct = source && namesOf(source);
  if (direct !== undefined) return [direct];
  return classifiersBehind(graph, probabilities).filter((names) => names.length === classes && !areNumbered(names));
}

interface Graph {
  /** The node that computes each value. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
  readonly constants: ReadonlyMap<string, TensorValues>;
}

function createGraph(model: OnnxModel): Graph {
  const producers = new Map(model.graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  return { producers, constants: constantsOf(model) };
}

/** Names of a label: those of its classifier, or the constants that it is picked from. */
function labelsBehind(graph: Graph, output: string): readonly string[] | undefined {
  const node = kept(graph, output, KEEP_LABELS);
  if (node === undefined) return undefined;
  if (node.operator !== 'ArrayFeatureExtractor' && node.operator !== 'Gather') {
    return node.operator === 'ZipMap' ? undefined : namesOf(node);
  }
  const picked = graph.constants.get(constantBehind(graph, node.inputs[0] ?? ''));
  const names = [...(picked?.texts ?? []), ...(picked?.integers ?? []).map(String)];
  return names.length > 0 ? names : undefined;
}

/** The first node behind a value that is not one of the `keeping` operators. */
function kept({ producers }: Graph, value: string, keeping: readonly string[]): OnnxNode | undefined {
  const seen = new Set<OnnxNode>();
  let node = producers.get(value);
  while (node !== undefined && keeping.includes(node.operator) && !seen.has(node)) {
    seen.add(node);
    node = producers.get(node.inputs[0] ?? '');
  }
  return node;
}

function constantBehind({ producers }: Graph, value: string): string {
  const node = producers.get(value);
  return node !== undefined && (node.operator === 'Cast' || node.operator === 'Identity') ? (node.inputs[0] ?? '') : value;
}

/** The class names of a node as strings; undefined if it has none. */
function namesOf({ message }: OnnxNode): readonly string[] | undefined {
  const attributes = attributesOf(message);
  const texts = attributes.texts('classlabels_strings');
  if (texts.length > 0) return texts;
  const numbers = INTEGERS.flatMap((name) => attributes.signed(name));
  return numbers.length > 0 ? numbers.map(String) : undefined;
}

/** The nearest classifiers on all paths back from a value. */
function classifiersBehind({ producers }: Graph, value: string): (readonly string[])[] {
  const found: (readonly string[])[] = [];
  const seen = new Set<OnnxNode>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = producers.get(name);
    if (node === undefined || seen.has(node)) continue;
    seen.add(node);
    const names = namesOf(node);
    if (names !== undefined) found.push(names);
    else for (const input of node.inputs) waiting.push(input);
  }
  return found;
}

/** 0, 1, 2, …: positions of the classes, which an ensemble's members have instead of names. */
function areNumbered(names: readonly string[]): boolean {
  return names.every((name, i) => name === String(i));
}
