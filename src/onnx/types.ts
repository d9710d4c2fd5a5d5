import { field } from './encode.ts';
import { eachField, type Span } from './wire.ts';

/** `TensorProto.DataType` */
export const FLOAT = 1;
export const DOUBLE = 11;

/** The element type of a `ValueInfoProto` that is a tensor. @throws RangeError where the bytes are none */
export function elementType(value: Uint8Array): number | undefined {
  const inside = (span: Span | undefined, number: number): Span | number | undefined => {
    let found: Span | number | undefined;
    if (span !== undefined) {
      eachField(value, span, (field_, content) => {
        if (field_ === number) found = content;
      });
    }
    return found;
  };
  let span: Span | undefined = { start: 0, end: value.length };
  // type, tensor_type
  for (const number of [2, 1]) {
    const found = inside(span, number);
    span = typeof found === 'object' ? found : undefined;
  }
  const type = inside(span, 1);
  return typeof type === 'number' ? type : undefined;
}

/** A `ValueInfoProto` of a tensor `[N, width]`, or of any shape. */
export function valueMessage(name: string, type: number, width?: number): Buffer {
  const shape = width === undefined ? [] : [field(2, [field(1, field(2, 'N')), field(1, field(1, width))])];
  return Buffer.concat([field(1, name), field(2, field(1, [field(1, type), ...shape]))]);
}
