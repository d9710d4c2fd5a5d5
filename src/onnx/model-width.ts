import { eachField, type Span } from './wire.ts';

/** Operators that multiply rows by a matrix, which makes as many values of each row as the matrix is wide. */
const PRODUCTS = ['Gemm', 'MatMul'];

/**
 * Values per row of a model's widest layer: of the matrices by which rows are multiplied, the longest side. Tree ensembles have none.
 * An estimate, for the size of a batch: matrices that are made in the graph are not seen.
 *
 * @returns 0 where there is no such matrix, or the bytes are no model (which is refused elsewhere)
 */
export function layerWidth(bytes: Uint8Array): number {
  const sides = new Map<string, number>();
  const multiplied = new Set<string>();
  try {
    // The numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
    each(bytes, { start: 0, end: bytes.length }, 7, (graph) => {
      each(bytes, graph, 5, (tensor) => readMatrix(bytes, tensor, sides));
      each(bytes, graph, 1, (node) => readNode(bytes, node, multiplied));
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return Math.max(0, ...[...multiplied].map((name) => sides.get(name) ?? 0));
}

/** Takes a tensor of two dimensions by its name. */
function readMatrix(bytes: Uint8Array, tensor: Span, sides: Map<string, number>): void {
  const shape: number[] = [];
  let name = '';
  eachField(bytes, tensor, (field, content) => {
    if (field === 8 && typeof content !== 'number') name = text(bytes, content);
    if (field !== 1) return;
    if (typeof content === 'number') shape.push(content);
    // Packed: numbers one after the other, which read as the fields of no message.
    else shape.push(...packed(bytes, content));
  });
  if (shape.length === 2) sides.set(name, Math.max(...shape));
}

function readNode(bytes: Uint8Array, node: Span, multiplied: Set<string>): void {
  const inputs: string[] = [];
  let operator = '';
  eachField(bytes, node, (field, content) => {
    if (typeof content === 'number') return;
    if (field === 1) inputs.push(text(bytes, content));
    if (field === 4) operator = text(bytes, content);
  });
  if (PRODUCTS.includes(operator)) for (const name of inputs) multiplied.add(name);
}

/** Calls for each message in a field of another one. */
function each(bytes: Uint8Array, within: Span, wanted: number, visit: (content: Span) => void): void {
  eachField(bytes, within, (field, content) => {
    if (field === wanted && typeof content !== 'number') visit(content);
  });
}

function packed(bytes: Uint8Array, { start, end }: Span): number[] {
  const values: number[] = [];
  for (let at = start, value = 0, scale = 1; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      values.push(value);
      [value, scale] = [0, 1];
    }
  }
  return values;
}

function text(bytes: Uint8Array, { start, end }: Span): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
