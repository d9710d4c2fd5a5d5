import { eachField, packedVarints, type Span, signedVarints } from './wire.ts';

/** Attributes of a node, read when asked for; one that is not there is an empty list. */
export interface Attributes {
  /** @throws RangeError also where a number is negative or beyond 2^53, which no count or index is */
  integers(name: string): readonly number[];
  /** The same where numbers may be negative, as an axis may. */
  signed(name: string): readonly number[];
  /** The bytes of a `TensorProto`. */
  tensor(name: string): Uint8Array | undefined;
  /** Of float32, or of a tensor of float64. */
  numbers(name: string): Float32Array | Float64Array;
  texts(name: string): readonly string[];
  has(name: string): boolean;
}

/** `TensorProto.DataType` */
const [FLOAT, DOUBLE] = [1, 11];

/** @param node a `NodeProto` @throws RangeError where the bytes are none */
export function attributesOf(node: Uint8Array): Attributes {
  const spans = new Map<string, Span>();
  eachField(node, whole(node), (field, content) => {
    if (field === 5 && typeof content === 'object') spans.set(textOf(node, content, 1) ?? '', content);
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
        if (field === 3 && typeof content === 'number') values.push(content);
        if (field !== 8) return;
        if (typeof content === 'number') values.push(content);
        else for (const value of packedVarints(node, content)) values.push(value);
      });
      // A negative number is written as one near 2^64.
      if (!values.every(Number.isSafeInteger)) throw new RangeError(`${name} holds a number that is negative or too large`);
      return values;
    },
    signed(name) {
      const values: number[] = [];
      walk(name, (field, content, span) => {
        // A single number stands behind its tag.
        if (field === 3 || (field === 8 && typeof content === 'number')) values.push(...signedVarints(node, span).slice(1));
        else if (field === 8 && typeof content === 'object') values.push(...signedVarints(node, content));
      });
      return values;
    },
    tensor(name) {
      let found: Uint8Array | undefined;
      walk(name, (field, content) => {
        if (field === 5 && typeof content === 'object') found = node.subarray(content.start, content.end);
      });
      return found;
    },
    numbers(name) {
      const parts: Span[] = [];
      let tensor: Float32Array | Float64Array | undefined;
      const visit = (field: number, content: Span | number): void => {
        if (typeof content === 'number') return;
        if (field === 7) parts.push(content);
        if (field === 5) tensor = tensorNumbers(node, content);
      };
      walk(name, visit, visit);
      return tensor ?? floats(node, parts);
    },
    texts(name) {
      const values: string[] = [];
      walk(name, (field, content) => {
        if ((field === 4 || field === 9) && typeof content === 'object') values.push(text(node, content));
      });
      return values;
    },
  };
}

/** Numbers of a `TensorProto` of float32 or float64, wherever it keeps them. */
function tensorNumbers(bytes: Uint8Array, tensor: Span): Float32Array | Float64Array {
  const raw: Span[] = [];
  const lists: Span[] = [];
  let type = 0;
  const visit = (field: number, content: Span | number): void => {
    if (field === 2 && typeof content === 'number') type = content;
    if (typeof content === 'number') return;
    if (field === 9) raw.push(content);
    if (field === (type === DOUBLE ? 10 : 4)) lists.push(content);
  };
  // Twice, because the type may stand behind the numbers.
  eachField(bytes, tensor, visit, visit);
  raw.length = 0;
  lists.length = 0;
  eachField(bytes, tensor, visit, visit);
  if (type !== FLOAT && type !== DOUBLE) throw new RangeError('it holds a tensor that is not of float32 or float64');
  const parts = raw.length > 0 ? raw.slice(-1) : lists;
  return type === FLOAT ? floats(bytes, parts) : new Float64Array(copied(bytes, parts, 8));
}

function floats(bytes: Uint8Array, parts: readonly Span[]): Float32Array {
  return new Float32Array(copied(bytes, parts, 4));
}

/** Bytes of several spans, together, where numbers can be read from them. @throws RangeError unless they are whole numbers */
function copied(bytes: Uint8Array, parts: readonly Span[], size: number): ArrayBuffer {
  const length = parts.reduce((sum, { start, end }) => sum + end - start, 0);
  if (length % size !== 0) throw new RangeError('it holds numbers that end within');
  const target = new Uint8Array(length);
  let at = 0;
  for (const { start, end } of parts) {
    target.set(bytes.subarray(start, end), at);
    at += end - start;
  }
  return target.buffer;
}

function textOf(bytes: Uint8Array, message: Span, number: number): string | undefined {
  let found: string | undefined;
  eachField(bytes, message, (field, content) => {
    if (field === number && typeof content === 'object') found = text(bytes, content);
  });
  return found;
}

function text(bytes: Uint8Array, { start, end }: Span): string {
  return Buffer.from(bytes.subarray(start, end)).toString('utf8');
}

function whole(bytes: Uint8Array): Span {
  return { start: 0, end: bytes.length };
}
