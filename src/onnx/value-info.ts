import { field } from './encode.ts';
import { DIMENSION, SHAPE, TENSOR_TYPE, TYPE, VALUE_INFO } from './fields.ts';
import { eachField, type Span, spanOf } from './wire.ts';

/** The element type of a `ValueInfoProto`; undefined if it is not a tensor. @throws RangeError if the bytes are not a message */
export function elementType(value: Uint8Array): number | undefined {
  const inside = (span: Span | undefined, wanted: number): Span | number | undefined => {
    let found: Span | number | undefined;
    if (span !== undefined) {
      eachField(value, span, (number, content) => {
        if (number === wanted) found = content;
      });
    }
    return found;
  };
  let span: Span | undefined = spanOf(value);
  for (const number of [VALUE_INFO.type, TYPE.tensor]) {
    const found = inside(span, number);
    span = typeof found === 'object' ? found : undefined;
  }
  const type = inside(span, TENSOR_TYPE.elementType);
  return typeof type === 'number' ? type : undefined;
}

/** A `ValueInfoProto` of a tensor `[N, width]`, or of any shape without a width. */
export function valueMessage(name: string, type: number, width?: number): Buffer {
  const dimension = (content: Buffer) => field(SHAPE.dimensions, content);
  const shape =
    width === undefined
      ? []
      : [field(TENSOR_TYPE.shape, [dimension(field(DIMENSION.name, 'N')), dimension(field(DIMENSION.size, width))])];
  const tensor = field(TYPE.tensor, [field(TENSOR_TYPE.elementType, type), ...shape]);
  return Buffer.concat([field(VALUE_INFO.name, name), field(VALUE_INFO.type, tensor)]);
}
