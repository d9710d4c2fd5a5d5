/** Where something that has a length begins and ends. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Walks the fields of a protobuf message without making anything of them: https://protobuf.dev/programming-guides/encoding/.
 * Stricter than parsers are, which cut a tag that is too long to one that is not: what is skipped here must not be read there.
 *
 * @param visit gets what has a length as its span, a varint as its value, which is not exact beyond 2^53; a number of fixed
 *   length is passed over
 * @throws RangeError where the bytes are no message
 */
export function eachField(
  bytes: Uint8Array,
  { start, end }: Span,
  visit: (field: number, content: Span | number) => void,
): void {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = at < end ? bytes[at] : undefined;
      if (byte === undefined) throw new RangeError('it ends inside a field');
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new RangeError('it holds a number of more than ten bytes');
  };
  const skip = (length: number): number => {
    if (length > end - at) throw new RangeError('it ends inside a field');
    at += length;
    return at - length;
  };
  while (at < end) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (field === 0 || tag >= 2 ** 32) throw new RangeError('it holds a field without a number');
    switch (tag % 8) {
      case 0:
        visit(field, varint());
        break;
      case 1:
        skip(8);
        break;
      case 2: {
        const length = varint();
        const first = skip(length);
        visit(field, { start: first, end: first + length });
        break;
      }
      case 5:
        skip(4);
        break;
      default:
        throw new RangeError('it holds a field of no known kind');
    }
  }
}
