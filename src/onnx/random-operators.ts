import { BOOL } from './element-types.ts';
import { ATTRIBUTE, NODE, TENSOR } from './fields.ts';
import { eachField, type Span, textAt } from './wire.ts';

/**
 * Operators that draw random numbers, as `domain:name`: https://onnx.ai/onnx/operators and ONNX Runtime's ContribOperators.md.
 * Their `seed` does not help: it fixes the sequence of numbers, not which row gets which number.
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

/** Operators that drop random values if their input `training_mode` is true, with the position of that input. */
const DROPOUTS: ReadonlyMap<string, number> = new Map([
  ['ai.onnx:Dropout', 2],
  ['com.microsoft:BiasDropout', 4],
  ['com.microsoft:BitmaskBiasDropout', 4],
  ['com.microsoft:BitmaskDropout', 2],
]);

/** Collects the nodes of a model that draw random numbers, in whatever order its parts come. */
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
  // Names of constants that are false, and of all others: nested graphs may use a name twice.
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
        const mode = textsOf(bytes, span, NODE.inputs)[position] ?? '';
        // Nothing is dropped without the input, or before operator set 12.
        if (mode !== '') drawing.push({ shown, unless: mode });
      } else if (operator === 'ai.onnx:Constant') {
        constant(textsOf(bytes, span, NODE.outputs), constantIsFalse(bytes, span));
      }
    },
    initializer(span) {
      constant(textsOf(bytes, span, TENSOR.name), isFalse(bytes, span));
    },
    found: () =>
      drawing.filter(({ unless }) => unless === undefined || !off.has(unless) || others.has(unless)).map(({ shown }) => shown),
  };
}

function textsOf(bytes: Uint8Array, message: Span, number: number): string[] {
  const found: string[] = [];
  eachField(bytes, message, (field, content) => {
    if (field === number && typeof content === 'object') found.push(textAt(bytes, content));
  });
  return found;
}

function constantIsFalse(bytes: Uint8Array, node: Span): boolean {
  let off = false;
  eachField(bytes, node, (field, attribute) => {
    if (field !== NODE.attributes || typeof attribute === 'number') return;
    eachField(bytes, attribute, (part, tensor) => {
      if (part === ATTRIBUTE.tensor && typeof tensor === 'object') off = isFalse(bytes, tensor);
    });
  });
  return off;
}

/** Whether a tensor is a single false. Booleans are in `raw_data` or `int32_data`; without either, there is no value. */
function isFalse(bytes: Uint8Array, tensor: Span): boolean {
  let type = 0;
  const data: number[] = [];
  eachField(bytes, tensor, (field, content) => {
    if (field === TENSOR.elementType && typeof content === 'number') type = content;
    if (field === TENSOR.int32s && typeof content === 'number') data.push(content);
    if ((field === TENSOR.int32s || field === TENSOR.raw) && typeof content === 'object') {
      // One boolean is one byte, so a large tensor need not be copied.
      data.push(content.end - content.start === 1 ? (bytes[content.start] ?? 1) : 1);
    }
  });
  return type === BOOL && data.length === 1 && data[0] === 0;
}
