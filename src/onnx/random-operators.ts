import { eachField, type Span } from './wire.ts';

/**
 * Operators that draw random numbers, as `domain:name`: https://onnx.ai/onnx/operators and ContribOperators.md of ONNX Runtime. Their
 * `seed` does not help: it fixes the sequence of numbers, not which row gets which of them.
 */
const RANDOM: ReadonlySet<string> = new Set([
  'ai.onnx:Bernoulli',
  'ai.onnx:Multinomial',
  'ai.onnx:RandomNormal',
  'ai.onnx:RandomNormalLike',
  'ai.onnx:RandomUniform',
  'ai.onnx:RandomUniformLike',
  'com.microsoft:Sampling',
]);

/** Operators that drop values at random where their input `training_mode` is true, by the position of that input. */
const DROPOUTS: ReadonlyMap<string, number> = new Map([
  ['ai.onnx:Dropout', 2],
  ['com.microsoft:BiasDropout', 4],
  ['com.microsoft:BitmaskBiasDropout', 4],
  ['com.microsoft:BitmaskDropout', 2],
]);

/** `TensorProto.DataType.BOOL` */
const BOOL = 9;

/** Collects the nodes of a model that draw random numbers, in whatever order its parts stand. */
export interface RandomNodes {
  /** @param operator as `domain:name` @param span a `NodeProto` */
  node(operator: string, name: string, span: Span): void;
  /** @param span a `TensorProto` that is an initializer */
  initializer(span: Span): void;
  /** Each as `operator (name)`. */
  found(): readonly string[];
}

/** @param bytes of the model */
export function randomNodes(bytes: Uint8Array): RandomNodes {
  const drawing: { readonly shown: string; readonly unless: string | undefined }[] = [];
  /** Names of constants that are false; and of others, since graphs within graphs may give one name twice. */
  const [off, others] = [new Set<string>(), new Set<string>()];
  const constant = (names: readonly string[], isOff: boolean): void => {
    for (const name of names) (isOff ? off : others).add(name);
  };
  return {
    node(operator, name, span) {
      const shown = name === '' ? operator : `${operator} (${name})`;
      const position = DROPOUTS.get(operator);
      if (RANDOM.has(operator)) drawing.push({ shown, unless: undefined });
      else if (position !== undefined) {
        const mode = textsOf(bytes, span, 1)[position] ?? '';
        // Before operator set 12, and without the input, nothing is dropped.
        if (mode !== '') drawing.push({ shown, unless: mode });
      } else if (operator === 'ai.onnx:Constant') {
        constant(textsOf(bytes, span, 2), constantIsFalse(bytes, span));
      }
    },
    initializer(span) {
      constant(textsOf(bytes, span, 8), isFalse(bytes, span));
    },
    found: () =>
      drawing.filter(({ unless }) => unless === undefined || !off.has(unless) || others.has(unless)).map(({ shown }) => shown),
  };
}

function textsOf(bytes: Uint8Array, message: Span, number: number): string[] {
  const found: string[] = [];
  eachField(bytes, message, (field, content) => {
    if (field === number && typeof content === 'object') {
      found.push(Buffer.from(bytes.subarray(content.start, content.end)).toString('utf8'));
    }
  });
  return found;
}

function constantIsFalse(bytes: Uint8Array, node: Span): boolean {
  let off = false;
  eachField(bytes, node, (field, attribute) => {
    if (field !== 5 || typeof attribute === 'number') return;
    eachField(bytes, attribute, (part, tensor) => {
      if (part === 5 && typeof tensor === 'object') off = isFalse(bytes, tensor);
    });
  });
  return off;
}

/** Whether a tensor is one boolean, and false. Numbers are in `raw_data` or `int32_data`, and neither means zero nowhere. */
function isFalse(bytes: Uint8Array, tensor: Span): boolean {
  let type = 0;
  const data: number[] = [];
  eachField(bytes, tensor, (field, content) => {
    if (field === 2 && typeof content === 'number') type = content;
    if (field === 5 && typeof content === 'number') data.push(content);
    if ((field === 5 || field === 9) && typeof content === 'object') {
      // Of a large tensor nothing is copied: one boolean is one byte.
      data.push(content.end - content.start === 1 ? (bytes[content.start] ?? 1) : 1);
    }
  });
  return type === BOOL && data.length === 1 && data[0] === 0;
}
