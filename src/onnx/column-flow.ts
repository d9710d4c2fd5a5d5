import { attributesOf } from './attributes.ts';
import type { OnnxNode } from './model.ts';
import type { TensorValues } from './tensor-values.ts';

/** One column of a graph's input `[N, width]`. */
export interface SourceColumn {
  readonly input: string;
  readonly position: number;
}

/** The input columns that make up a value of the graph, in order. */
export type Flow = readonly SourceColumn[];

/** A limit, because a few nodes that join a value with itself can make any number of columns. */
const MAX_COLUMNS = 100_000;

/**
 * The columns of a node's output, if the node only moves columns: picks, joins, renames or reshapes them.
 *
 * @param flows columns of the values computed before it, by name
 * @returns undefined if it does anything else, or if its columns are unknown
 * @throws RangeError if the bytes are not a node
 */
export function movedColumns(
  node: OnnxNode,
  flows: ReadonlyMap<string, Flow>,
  constants: ReadonlyMap<string, TensorValues>,
): Flow | undefined {
  const inputs = node.inputs.map((name) => flows.get(name));
  const integers = (position: number) => constants.get(node.inputs[position] ?? '')?.integers ?? [];
  const attributes = attributesOf(node.message);
  const [flow] = inputs;
  if (node.operator === 'Where') return sharedFlow(inputs[1], inputs[2]);
  if (flow === undefined) return undefined;
  switch (node.operator) {
    case 'Identity':
    case 'Cast':
      return flow;
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
      return flow.length === 1 ? flow : undefined;
    case 'Reshape':
      return flow.length === 1 || integers(1).at(-1) === flow.length ? flow : undefined;
    case 'Concat': {
      const axis = attributes.signed('axis')[0];
      const whole = inputs.every((input) => input !== undefined);
      const width = inputs.reduce((sum, input) => sum + (input?.length ?? 0), 0);
      return whole && width <= MAX_COLUMNS && (axis === 1 || axis === -1) ? inputs.flat() : undefined;
    }
    case 'ArrayFeatureExtractor':
      return picked(flow, integers(1));
    case 'Gather': {
      const axis = attributes.signed('axis')[0] ?? 0;
      return axis === 1 || axis === -1 ? picked(flow, integers(1)) : undefined;
    }
    default:
      return undefined;
  }
}

/**
 * The parts into which a `Split` divides columns, one per output; undefined for other operators and axes.
 *
 * @throws RangeError if the bytes are not a node
 */
export function splitColumns(node: OnnxNode, flow: Flow, constants: ReadonlyMap<string, TensorValues>): Flow[] | undefined {
  const attributes = attributesOf(node.message);
  const axis = attributes.signed('axis')[0] ?? 0;
  if (node.operator !== 'Split' || (axis !== 1 && axis !== -1)) return undefined;
  const parts = node.outputs.length;
  const given = constants.get(node.inputs[1] ?? '')?.integers ?? attributes.integers('split');
  const sizes = given.length > 0 ? given : Array.from({ length: parts }, () => flow.length / parts);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length !== parts || total !== flow.length || !sizes.every((size) => Number.isInteger(size) && size >= 0)) {
    return undefined;
  }
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return flow.slice(start - size, start);
  });
}

function picked(flow: Flow, indices: readonly number[]): Flow | undefined {
  const found = indices.map((index) => flow.at(index));
  return found.length > 0 && found.every((column) => column !== undefined) ? found : undefined;
}

/** A choice between a column and a value that is not one, such as the replacement of a missing value, counts as the column. */
function sharedFlow(a: Flow | undefined, b: Flow | undefined): Flow | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const equal =
    a.length === b.length && a.every(({ input, position }, i) => input === b[i]?.input && position === b[i]?.position);
  return equal ? a : undefined;
}
