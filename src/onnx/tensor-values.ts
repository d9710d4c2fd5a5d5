import { attributesOf } from './attributes.ts';
import type { OnnxModel } from './model.ts';
import { eachField, type Span, signedVarints } from './wire.ts';

/** `TensorProto.DataType` */
const [INT32, INT64, STRING] = [6, 7, 8];

/** A constant of a graph as far as columns and categories are concerned; both lists are empty for other element types. */
export interface TensorValues {
  readonly integers: readonly number[];
  readonly texts: readonly string[];
}

/**
 * Reads a `TensorProto` of int32, int64 or string.
 *
 * @throws RangeError where the bytes are not a tensor
 */
export function tensorValues(bytes: Uint8Array): TensorValues {
  const texts: string[] = [];
  const packed: number[] = [];
  let raw: Span | undefined;
  let type = 0;
  eachField(bytes, { start: 0, end: bytes.length }, (number, content, whole) => {
    if (number === 2 && typeof content === 'number') type = content;
    else if (number === 5 || number === 7) {
      // A single number stands behind its tag.
      const values = typeof content === 'number' ? signedVarints(bytes, whole).slice(1) : signedVarints(bytes, content);
      for (const value of values) packed.push(value);
    } else if (typeof content === 'number') return;
    else if (number === 6) texts.push(Buffer.from(bytes.subarray(content.start, content.end)).toString('utf8'));
    else if (number === 9) raw = content;
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
  if (view.byteLength % size !== 0) throw new RangeError('it holds numbers that end within');
  return Array.from({ length: view.byteLength / size }, (_, i) =>
    size === 8 ? Number(view.getBigInt64(i * 8, true)) : view.getInt32(i * 4, true),
  );
}
