import { GRAPH, MODEL, NODE, TENSOR } from './fields.ts';
import { eachField, packedVarints, type Span, spanOf, textAt } from './wire.ts';

/** Operators that multiply rows by a matrix. Each row then has as many values as the matrix is wide. */
const PRODUCTS = ['Gemm', 'MatMul'];

/**
 * Values per row of a model's widest layer: the longest side of all matrices by which rows are multiplied. Tree ensembles have
 * none. An estimate for choosing a batch size: it misses matrices that the graph computes.
 *
 * @returns 0 if there is no such matrix, or the bytes are not a model (which another check refuses)
 */
export function layerWidth(bytes: Uint8Array): number {
  const sides = new Map<string, number>();
  const multiplied = new Set<string>();
  try {
    eachMessage(bytes, spanOf(bytes), MODEL.graph, (graph) => {
      eachMessage(bytes, graph, GRAPH.initializers, (tensor) => readMatrix(bytes, tensor, sides));
      eachMessage(bytes, graph, GRAPH.nodes, (node) => readNode(bytes, node, multiplied));
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return Math.max(0, ...[...multiplied].map((name) => sides.get(name) ?? 0));
}

/** Records the longest side of a tensor with two dimensions under its name. */
function readMatrix(bytes: Uint8Array, tensor: Span, sides: Map<string, number>): void {
  const shape: number[] = [];
  let name = '';
  eachField(bytes, tensor, (field, content) => {
    if (field === TENSOR.name && typeof content !== 'number') name = textAt(bytes, content);
    if (field === TENSOR.shape) shape.push(...(typeof content === 'number' ? [content] : packedVarints(bytes, content)));
  });
  if (shape.length === 2) sides.set(name, Math.max(...shape));
}

function readNode(bytes: Uint8Array, node: Span, multiplied: Set<string>): void {
  const inputs: string[] = [];
  let operator = '';
  eachField(bytes, node, (field, content) => {
    if (typeof content === 'number') return;
    if (field === NODE.inputs) inputs.push(textAt(bytes, content));
    if (field === NODE.operator) operator = textAt(bytes, content);
  });
  if (PRODUCTS.includes(operator)) for (const name of inputs) multiplied.add(name);
}

function eachMessage(bytes: Uint8Array, within: Span, wanted: number, visit: (content: Span) => void): void {
  eachField(bytes, within, (field, content) => {
    if (field === wanted && typeof content !== 'number') visit(content);
  });
}
