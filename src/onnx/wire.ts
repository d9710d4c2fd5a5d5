/** Where something that has a length begins and ends. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What is told of a field: its number, its content, and where it stands with its tag. */
type Visit<Content> = (field: number, content: Content, whole: Span) => void;

/**
 * Walks the fields of a protobuf message without making anything of them: https://protobuf.dev/programming-guides/encoding/.
 * Stricter than parsers are, which cut a tag that is too long to one that is not: what is skipped here must not be read there.
 *
 * @param visit gets what has a length as its span, a varint as its value, which is not exact beyond 2^53
 * @param visitFixed gets numbers of fixed length, of 4 or 8 bytes, which are passed over without it
 * @throws RangeError where the bytes are no message
 */
export function eachField(
  bytes: Uint8Array,
  { start, end }: Span,
  visit: Visit<Span | number>,
  visitFixed?: Visit<Span>,
): void {
  const cursor = { at: start, end };
  const skip = (length: number): Span => {
    if (length > end - cursor.at) throw new RangeError('it ends inside a field');
    cursor.at += length;
    return { start: cursor.at - length, end: cursor.at };
  };
  while (cursor.at < end) {
    const first = cursor.at;
    const whole = () => ({ start: first, end: cursor.at });
    const tag = varint(bytes, cursor);
    const field = Math.floor(tag / 8);
    if (field === 0 || tag >= 2 ** 32) throw new RangeError('it holds a field without a number');
    switch (tag % 8) {
      case 0: {
        const value = varint(bytes, cursor);
        visit(field, value, whole());
        break;
      }
      case 1:
      case 5: {
        const content = skip(tag % 8 === 1 ? 8 : 4);
        visitFixed?.(field, content, whole());
        break;
      }
      case 2: {
        const content = skip(varint(bytes, cursor));
        visit(field, content, whole());
        break;
      }
      default:
        throw new RangeError('it holds a field of no known kind');
    }
  }
}

/** Numbers written one after the other, as protobuf packs lists of them. @throws RangeError as above */
export function packedVarints(bytes: Uint8Array, { start, end }: Span): number[] {
  const cursor = { at: start, end };
  const values: number[] = [];
  while (cursor.at < end) values.push(varint(bytes, cursor));
  return values;
}

/** The same for numbers that may be negative, which are written as their 64 bits; exact up to 2^53. @throws RangeError as above */
export function signedVarints(bytes: Uint8Array, { start, end }: Span): number[] {
  const values: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes.subarray(start, end)) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      values.push(Number(BigInt.asIntN(64, value)));
      value = 0n;
      shift = 0n;
    } else if (shift === 70n) throw new RangeError('it holds a number of more than ten bytes');
  }
  if (shift > 0n) throw new RangeError('it ends inside a field');
  return values;
}

function varint(bytes: Uint8Array, cursor: { at: number; readonly end: number }): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 70; scale *= 128) {
    const byte = cursor.at < cursor.end ? bytes[cursor.at] : undefined;
    if (byte === undefined) throw new RangeError('it ends inside a field');
    cursor.at += 1;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
  throw new RangeError('it holds a number of more than ten bytes');
}
