import { attributesOf } from './attributes.ts';
import { INT32, INT64, STRING } from './element-types.ts';
import { TENSOR } from './fields.ts';
import type { OnnxModel } from './model.ts';
import { eachField, type Span, signedVarints, spanOf, textAt } from './wire.ts';

/** The integers or strings of a constant. Both lists are empty for other element types. */
export interface TensorValues {
  readonly integers: readonly number[];
  readonly texts: readonly string[];
}

/**
 * Reads a `TensorProto` of int32, int64 or string.
 *
 * @throws RangeError if the bytes are not a tensor
 */
export function tensorValues(bytes: Uint8Array): TensorValues {
  const texts: string[] = [];
  const packed: number[] = [];
  let raw: Span | undefined;
  let type = 0;
  eachField(bytes, spanOf(bytes), (number, content, whole) => {
    if (number === TENSOR.elementType && typeof content === 'number') type = content;
    else if (number === TENSOR.int32s || number === TENSOR.int64s) {
      // The span of a single number includes its tag.
      const values = typeof content === 'number' ? signedVarints(bytes, whole).slice(1) : signedVarints(bytes, content);
      for (const value of values) packed.push(value);
    } else if (typeof content === 'number') return;
    else if (number === TENSOR.texts) texts.push(textAt(bytes, content));
    else if (number === TENSOR.raw) raw = content;
  });
  if (type === STRING) return { integers: [], texts };
  if (type !== INT32 && type !== INT64) return { integers: [], texts: [] };
  return { integers: raw === undefined ? packed : rawIntegers(bytes, raw, type === INT64 ? 8 : 4), texts: [] };
}

/** Every constant of the graph by name: its initializers and its `Constant` nodes. */
export function constantsOf({ graph }: OnnxModel): ReadonlyMap<string, TensorValues> {
  const found = new Map<string, TensorValues>();
  for (const { name, message } of graph.constants) found.set(name, tensorValues(message));
  for (const { operator, outputs, message } of graph.nodes) {
    const [output] = outputs;
    if (operator !== 'Constant' || output === undefined) continue;
    const attributes = attributesOf(message);
    const tensor = attributes.tensor('value');
    found.set(
      output,
      tensor === undefined
        ? {
            integers: [...attributes.signed('value_int'), ...attributes.signed('value_ints')],
            texts: [...attributes.texts('value_string'), ...attributes.texts('value_strings')],
          }
        : tensorValues(tensor),
    );
  }
  return found;
}

function rawIntegers(bytes: Uint8Array, { start, end }: Span, size: 4 | 8): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  if (view.byteLength % size !== 0) throw new RangeError('it ends inside a number');
  return Array.from({ length: view.byteLength / size }, (_, i) =>
    size === 8 ? Number(view.getBigInt64(i * 8, true)) : view.getInt32(i * 4, true),
  );
}
