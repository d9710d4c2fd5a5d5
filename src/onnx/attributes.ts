import { DOUBLE, FLOAT } from './element-types.ts';
import { ATTRIBUTE, NODE, TENSOR } from './fields.ts';
import { eachField, packedVarints, type Span, signedVarints, spanOf, textAt } from './wire.ts';

/** Attributes of a node, decoded on demand. A missing one is an empty list. All methods throw RangeError for bad bytes. */
export interface Attributes {
  /** Counts and indices. @throws RangeError also if a number is negative or beyond 2^53 */
  integers(name: string): readonly number[];
  /** Integers that may be negative, such as an axis. */
  signed(name: string): readonly number[];
  /** The bytes of a `TensorProto`. */
  tensor(name: string): Uint8Array | undefined;
  /** From a list of float32, or a tensor of float32 or float64. */
  numbers(name: string): Float32Array | Float64Array;
  texts(name: string): readonly string[];
  has(name: string): boolean;
}

/** @param node a `NodeProto` @throws RangeError if the bytes are not a node */
export function attributesOf(node: Uint8Array): Attributes {
  const spans = new Map<string, Span>();
  eachField(node, spanOf(node), (field, content) => {
    if (field === NODE.attributes && typeof content === 'object') spans.set(attributeName(node, content), content);
  });
  const walk = (
    name: string,
    visit: (field: number, content: Span | number, whole: Span) => void,
    fixed?: typeof visit,
  ): void => {
    const span = spans.get(name);
    if (span !== undefined) eachField(node, span, visit, fixed);
  };
  return {
    has: (name) => spans.has(name),
    integers(name) {
      const values: number[] = [];
      walk(name, (field, content) => {
        if (field === ATTRIBUTE.integer && typeof content === 'number') values.push(content);
        if (field !== ATTRIBUTE.integers) return;
        if (typeof content === 'number') values.push(content);
        else for (const value of packedVarints(node, content)) values.push(value);
      });
      // Read as unsigned, a negative number is near 2^64.
      if (!values.every(Number.isSafeInteger)) throw new RangeError(`${name} has a number that is negative or too large`);
      return values;
    },
    signed(name) {
      const values: number[] = [];
      walk(name, (field, content, span) => {
        if (field !== ATTRIBUTE.integer && field !== ATTRIBUTE.integers) return;
        // The span of a single number includes its tag.
        const found = typeof content === 'number' ? signedVarints(node, span).slice(1) : signedVarints(node, content);
        for (const value of found) values.push(value);
      });
      return values;
    },
    tensor(name) {
      let found: Uint8Array | undefined;
      walk(name, (field, content) => {
        if (field === ATTRIBUTE.tensor && typeof content === 'object') found = node.subarray(content.start, content.end);
      });
      return found;
    },
    numbers(name) {
      const parts: Span[] = [];
      let tensor: Float32Array | Float64Array | undefined;
      const visit = (field: number, content: Span | number): void => {
        if (typeof content === 'number') return;
        if (field === ATTRIBUTE.floats) parts.push(content);
        if (field === ATTRIBUTE.tensor) tensor = tensorNumbers(node, content);
      };
      walk(name, visit, visit);
      return tensor ?? floats(node, parts);
    },
    texts(name) {
      const values: string[] = [];
      walk(name, (field, content) => {
        if (typeof content === 'number') return;
        if (field === ATTRIBUTE.text || field === ATTRIBUTE.texts) values.push(textAt(node, content));
      });
      return values;
    },
  };
}

/**
 * The numbers of a `TensorProto` of float32 or float64, from its raw bytes or its list.
 *
 * @throws RangeError if it is not such a tensor
 */
export function tensorNumbers(bytes: Uint8Array, tensor: Span): Float32Array | Float64Array {
  const raw: Span[] = [];
  const lists: Span[] = [];
  let type = 0;
  const visit = (field: number, content: Span | number): void => {
    if (field === TENSOR.elementType && typeof content === 'number') type = content;
    if (typeof content === 'number') return;
    if (field === TENSOR.raw) raw.push(content);
    if (field === (type === DOUBLE ? TENSOR.doubles : TENSOR.floats)) lists.push(content);
  };
  // Twice, because the type may come after the numbers.
  eachField(bytes, tensor, visit, visit);
  raw.length = 0;
  lists.length = 0;
  eachField(bytes, tensor, visit, visit);
  if (type !== FLOAT && type !== DOUBLE) throw new RangeError('it has a tensor that is not float32 or float64');
  const parts = raw.length > 0 ? raw.slice(-1) : lists;
  return type === FLOAT ? floats(bytes, parts) : new Float64Array(copied(bytes, parts, 8));
}

function floats(bytes: Uint8Array, parts: readonly Span[]): Float32Array {
  return new Float32Array(copied(bytes, parts, 4));
}

/** Joins spans in a buffer that is aligned for numbers. @param size bytes per number @throws RangeError if one is cut off */
function copied(bytes: Uint8Array, parts: readonly Span[], size: number): ArrayBuffer {
  const length = parts.reduce((sum, { start, end }) => sum + end - start, 0);
  if (length % size !== 0) throw new RangeError('it ends inside a number');
  const target = new Uint8Array(length);
  let at = 0;
  for (const { start, end } of parts) {
    target.set(bytes.subarray(start, end), at);
    at += end - start;
  }
  return target.buffer;
}

function attributeName(bytes: Uint8Array, attribute: Span): string {
  let name = '';
  eachField(bytes, attribute, (field, content) => {
    if (field === ATTRIBUTE.name && typeof content === 'object') name = textAt(bytes, content);
  });
  return name;
}
