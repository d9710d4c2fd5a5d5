/** Where a message, string or list begins and ends, in bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Receives a field's number, its content, and the span of the whole field with its tag. */
type Visit<Content> = (field: number, content: Content, whole: Span) => void;

/**
 * Visits the fields of a protobuf message without decoding them: https://protobuf.dev/programming-guides/encoding/.
 * Stricter than most parsers, which truncate a tag that is too long into a valid one: a field skipped here must not be read by
 * the runtime.
 *
 * @param visit gets a length-delimited field as its span and a varint as its value, which is exact up to 2^53
 * @param visitFixed gets numbers of 4 or 8 bytes; without it they are skipped
 * @throws RangeError if the bytes are not a message
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
    if (field === 0 || tag >= 2 ** 32) throw new RangeError('it has a field without a valid number');
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
        throw new RangeError('it has a field of an unsupported wire type');
    }
  }
}

/** Numbers packed one after the other. @throws RangeError as `eachField` */
export function packedVarints(bytes: Uint8Array, span: Span): number[] {
  return varints(bytes, span, false);
}

/** The same for numbers that may be negative: protobuf writes them as 64 bits. Exact up to 2^53. @throws RangeError as above */
export function signedVarints(bytes: Uint8Array, span: Span): number[] {
  return varints(bytes, span, true);
}

export function textAt(bytes: Uint8Array, { start, end }: Span): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

/** The span of a message that fills all of `bytes`. */
export function spanOf(bytes: Uint8Array): Span {
  return { start: 0, end: bytes.length };
}

interface Cursor {
  at: number;
  readonly end: number;
}

function varints(bytes: Uint8Array, { start, end }: Span, signed: boolean): number[] {
  const cursor = { at: start, end };
  const values: number[] = [];
  while (cursor.at < end) values.push(varint(bytes, cursor, signed));
  return values;
}

/** Reads one number and moves the cursor past it. @param signed whether bit 63 is the sign */
function varint(bytes: Uint8Array, cursor: Cursor, signed = false): number {
  // Groups of 28, 28 and 14 bits, each within the range of bit operations.
  let [low, middle, high] = [0, 0, 0];
  for (let i = 0; i < 10; i += 1) {
    const byte = cursor.at < cursor.end ? bytes[cursor.at] : undefined;
    if (byte === undefined) throw new RangeError('it ends inside a field');
    cursor.at += 1;
    const bits = (byte & 127) << (7 * (i % 4));
    if (i < 4) low |= bits;
    else if (i < 8) middle |= bits;
    else high |= bits;
    if (byte < 128) return (signed ? (high << 24) >> 24 : high) * 2 ** 56 + middle * 2 ** 28 + low;
  }
  throw new RangeError('it has a number of more than ten bytes');
}
