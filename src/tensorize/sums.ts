import { FLOAT } from '../onnx/element-types.ts';
import type { Ensemble, Weight } from './ensemble.ts';
import type { Fragment } from './fragment.ts';
import type { Outcome } from './outcome.ts';
import { traversal } from './traversal.ts';
import type { Tree } from './tree-nodes.ts';

interface Source {
  readonly ensemble: Ensemble;
  readonly outcome: Outcome;
  /** Name of the features, `[N, F]`. */
  readonly input: string;
  /** Whether they are float64. Sums then are too, as in ONNX Runtime. */
  readonly double: boolean;
}

/**
 * Adds an ensemble as tensor operations.
 *
 * @returns name of the output, float32 `[N, outputs]`
 */
export function ensembleOperations(fragment: Fragment, source: Source): string {
  const { ensemble, outcome, double } = source;
  const numbers = (values: readonly number[]) => (double ? Float64Array.from(values) : Float32Array.from(values));
  let sums = sumLeaves(fragment, source, numbers);
  if (ensemble.average)
    sums = fragment.apply('Div', [sums, fragment.constant('trees', [], numbers([ensemble.nodes.trees.length]))]);
  if (outcome.base.some((value) => value !== 0)) {
    sums = fragment.apply('Add', [sums, fragment.constant('base', [1, outcome.base.length], numbers(outcome.base))]);
  }
  return transformSums(fragment, outcome, double ? fragment.apply('Cast', [sums], { to: FLOAT }) : sums);
}

/** Adds up the leaves of each row. @returns name of the sums, `[N, outcome.outputs.length]` */
function sumLeaves(
  fragment: Fragment,
  { input, ensemble: { nodes, weights }, outcome: { outputs } }: Source,
  numbers: (values: readonly number[]) => Float32Array | Float64Array,
): string {
  const count = nodes.features.length;
  const width = outputs.length;
  const of = weights.filter(({ output }) => outputs.includes(output));
  const order = treesByOutput(nodes.trees, of, outputs);
  const trees = order ?? nodes.trees;
  const leaves = traversal(fragment, input, nodes, trees);
  const along = (axis: number): string => fragment.constant('axis', [1], BigInt64Array.of(BigInt(axis)));
  const values = numbers(new Array<number>(count * (order ? 1 : width)).fill(0));
  for (const { node, output, value } of of) values[order ? node : node * width + outputs.indexOf(output)] = value;
  if (order === undefined) {
    const rows = fragment.apply('Gather', [fragment.constant('weight', [count, width], values), leaves], { axis: 0 });
    return fragment.apply('ReduceSum', [rows, along(1)], { keepdims: 0 });
  }
  const each = fragment.apply('Gather', [fragment.constant('weight', [count], values), leaves], { axis: 0 });
  if (width === 1) return fragment.apply('ReduceSum', [each, along(1)], { keepdims: 1 });
  const shape = BigInt64Array.of(-1n, BigInt(width), BigInt(trees.length / width));
  const byOutput = fragment.apply('Reshape', [each, fragment.constant('shape', [3], shape)]);
  return fragment.apply('ReduceSum', [byOutput, along(2)], { keepdims: 0 });
}

/**
 * The trees sorted by output, if each tree adds to a single output and all outputs have equally many trees, as boosting makes
 * them. Then one weight per leaf is enough. Summing avoids a matrix product, which GPUs may compute from rounded numbers.
 */
function treesByOutput(trees: readonly Tree[], weights: readonly Weight[], outputs: readonly number[]): Tree[] | undefined {
  const outputOf = new Map<number, number>();
  for (const { node, output } of weights) {
    if (outputOf.has(node)) return undefined;
    outputOf.set(node, output);
  }
  const groups = new Map<number, Tree[]>(outputs.map((output) => [output, []]));
  for (const tree of trees) {
    const [output = -1, ...others] = new Set(tree.leaves.map((leaf) => outputOf.get(leaf)));
    const group = groups.get(output);
    if (group === undefined || others.length > 0) return undefined;
    group.push(tree);
  }
  const even = [...groups.values()].every((group) => group.length === trees.length / outputs.length);
  return even ? [...groups.values()].flat() : undefined;
}

function transformSums(fragment: Fragment, { form, transform }: Outcome, sums: string): string {
  switch (form) {
    case 'each':
      if (transform === 'NONE') return sums;
      return transform === 'SOFTMAX' ? fragment.apply('Softmax', [sums], { axis: 1 }) : fragment.apply('Sigmoid', [sums]);
    case 'complement':
      return pair(fragment, fragment.apply('Sub', [fragment.constant('one', [1, 1], Float32Array.of(1)), sums]), sums);
    case 'opposite':
      return pair(fragment, fragment.apply('Neg', [sums]), sums);
    case 'logistic pair':
      return pair(fragment, fragment.apply('Sigmoid', [fragment.apply('Neg', [sums])]), fragment.apply('Sigmoid', [sums]));
  }
}

function pair(fragment: Fragment, first: string, second: string): string {
  return fragment.apply('Concat', [first, second], { axis: 1 });
}
